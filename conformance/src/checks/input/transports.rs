//! Services name a transport of the platform, or bring one: never both (MEC 011).

use std::sync::Arc;

use serde_json::Value;

use super::REFUSES;
use crate::suite::{Context, Failure, Intent, Outcome, Plan, Role, Stop, Suite, Values};

pub(super) fn plan(suite: &Arc<Suite>, plan: &mut Plan, api: usize) {
    let document = &suite.apis[api].api;
    let transports = document.operation("GET", "/transports");
    let maker = document.operation("POST", "/applications/{appInstanceId}/services");
    if let (Some(transports), Some(maker), true) = (transports, maker, document.id.starts_with("mec011")) {
        let (transports, maker) = (transports.index, maker.index);
        plan.add(
            suite,
            &REFUSES,
            api,
            Some(maker),
            "both-transports",
            move |context| Box::pin(both(context, api, transports, maker)),
        );
    }
}

/// 8.1.2.2: exactly one of transportId and transportInfo; each alone is accepted first.
async fn both(context: &mut Context, api: usize, transports: usize, maker: usize) -> Outcome {
    let list = context.call(api, transports, &Values::new()).role(Role::Control);
    let list = context.send(list).await?.json();
    let id = list.as_ref().and_then(|list| list.pointer("/0/id")).cloned();
    let Some(id) = id.filter(Value::is_string) else {
        return Err(Stop::NotApplicable(
            "the platform has no transports of its own".to_owned(),
        ));
    };
    let values = context.values(api, maker).await?;
    let mut named = context.body(api, maker, &values)?;
    if named.get("transportInfo").is_none() {
        return Ok(());
    }
    let brought = context.call(api, maker, &values).json(named.clone());
    named["transportId"] = id;
    let two = context.call(api, maker, &values).json(named.clone());
    if let Some(members) = named.as_object_mut() {
        members.remove("transportInfo");
    }
    let one = context.call(api, maker, &values).json(named);
    for control in [brought, one] {
        let exchange = context.send(control.role(Role::Control)).await?;
        if !exchange.is_success() {
            return Err(Stop::Inconclusive(format!(
                "a service with one transport was answered {}",
                exchange.summary()
            )));
        }
    }
    let exchange = context.send(two.intent(Intent::Odd)).await?;
    match exchange.is_success() {
        true => Err(Failure::new(
            "a service with both transportId and transportInfo is accepted",
            "400, as exactly one of the two is present (8.1.2.2)",
            exchange.summary(),
        )
        .shown_by(&exchange.call)
        .stop()),
        false => Ok(()),
    }
}
