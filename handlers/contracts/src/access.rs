//! Who may act for an application instance.

use mecforge_runtime::server::{Caller, Principal, Problem};

use crate::applications::{Applications, Presence};

/// The longest identifier of an application instance, in bytes. Longer ones name nothing.
pub const LONGEST_IDENTIFIER: usize = 256;

/// Lets a caller act for an application instance if that is itself, or if nobody is authenticated.
///
/// # Errors
/// `403` for another application's instance.
pub fn own(caller: &Caller, app_instance_id: &str) -> Result<(), Problem> {
    match caller.principal() {
        Principal::Application(own) if **own != *app_instance_id => Err(Problem::forbidden(format!(
            "application instance {own} may not act for {app_instance_id:?}"
        ))
        .with_parameter("appInstanceId")),
        _ => Ok(()),
    }
}

/// [`own`], for an application instance that exists.
///
/// # Errors
/// `403` for another application's instance, `404` for one that does not exist.
pub fn existing(
    applications: &dyn Applications,
    caller: &Caller,
    app_instance_id: &str,
) -> Result<Presence, Problem> {
    own(caller, app_instance_id)?;
    match applications.presence(app_instance_id) {
        Presence::Absent => Err(unknown(app_instance_id)),
        presence => Ok(presence),
    }
}

/// The refusal of an application instance that does not exist.
#[must_use]
pub fn unknown(app_instance_id: &str) -> Problem {
    let shown: String = app_instance_id.chars().take(LONGEST_IDENTIFIER).collect();
    Problem::not_found(format!("there is no application instance {shown:?}")).with_parameter("appInstanceId")
}
