//! Types of subscriptions, which the query parameters of ETSI's lists write shorter than the subscriptions do.

/// The words of a name: `adj_app_info` and `AdjAppInfo` have the same three.
fn words(name: &str) -> Vec<String> {
    let mut words = vec![String::new()];
    let mut before = '_';
    for letter in name.chars() {
        let begins = letter.is_ascii_uppercase() && !before.is_ascii_uppercase();
        if begins || !letter.is_ascii_alphanumeric() {
            words.push(String::new());
        }
        if let Some(word) = words.last_mut().filter(|_| letter.is_ascii_alphanumeric()) {
            word.push(letter.to_ascii_lowercase());
        }
        before = letter;
    }
    words.retain(|word| !word.is_empty() && word != "subscription");
    words
}

/// Whether a value of a query parameter for types of subscriptions (`subscription_type`) means a `subscriptionType`.
///
/// It is the type itself, or its words without the word Subscription, each of them whole or cut short
/// (`adj_app_info`: `AdjacentAppInfoSubscription`), or, as in MEC 013, the last word alone (`event`:
/// `UserLocationEventSubscription`).
pub fn names_subscription_type(value: &str, subscription_type: &str) -> bool {
    let (short, long) = (words(value), words(subscription_type));
    let cut = short.len() == long.len()
        && short
            .iter()
            .zip(&long)
            .all(|(short, long)| long.starts_with(short.as_str()));
    let last = matches!(short.as_slice(), [only] if long.last() == Some(only));
    value == subscription_type || cut || last
}

#[cfg(test)]
mod tests {
    use super::names_subscription_type;

    #[test]
    fn short_names_mean_one_type() {
        for (value, meant) in [
            ("cell_change", "CellChangeSubscription"),
            ("meas_rep_ue", "MeasRepUeSubscription"),
            ("s1_bearer", "S1BearerSubscription"),
            ("mobility_proc", "MobilityProcedureSubscription"),
            ("adj_app_info", "AdjacentAppInfoSubscription"),
            ("measure_report", "MeasurementReportSubscription"),
            ("event", "userLocationEventSubscription"),
            ("v2x_msg", "V2xMsgSubscription"),
            ("OnuAlarmSubscription", "OnuAlarmSubscription"),
        ] {
            assert!(names_subscription_type(value, meant), "{value}");
        }
        for (value, other) in [
            ("meas_rep_ue", "NrMeasRepUeSubscription"),
            ("event", "UserLocationPeriodicSubscription"),
            ("rab_est", "RabRelSubscription"),
            ("mobility_proc", "AdjacentAppInfoSubscription"),
            ("", "RabRelSubscription"),
        ] {
            assert!(!names_subscription_type(value, other), "{value}");
        }
    }
}
