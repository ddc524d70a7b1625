//! Emits `callbacks.rs`: what the runtime's sender and receiver need to know of each notification.

use quote::quote;

use super::File;
use super::operations::Item;
use super::operations::imports::imports;
use super::source::source_file;
use super::types::{identifier, standard};
use crate::model::Api;
use crate::model::shape::Shape;

/// The file of the callbacks.
///
/// # Errors
/// A notification whose body is no type of its own.
pub(super) fn files(api: &Api) -> Result<Vec<File>, String> {
    let mut implementations = Vec::new();
    for notification in &api.notifications {
        let Shape::Named(id) = notification.shape else {
            return Err(format!(
                "{}: a notification needs a schema of its own",
                notification.pointer
            ));
        };
        let named = api.type_of(id);
        let (name, api_name) = (
            identifier(&named.name),
            named.api_name.as_deref().unwrap_or(&named.name),
        );
        let notification_type = match &notification.notification_type {
            Some(text) => quote!(Some(#text)),
            None => quote!(None),
        };
        implementations.push(quote! {
            impl Notification for #name {
                const NAME: &'static str = #api_name;
                const NOTIFICATION_TYPE: Option<&'static str> = #notification_type;
            }
        });
    }
    let items: Vec<Item> = implementations.into_iter().map(Item::common).collect();
    let imports = imports(api, &items);
    let items = items.iter().map(Item::print);
    let job = format!(
        "The notifications of {}: `NotificationSender::send` delivers them, `router` and `Receiver` take them.",
        standard(api)
    );
    let tokens = quote! {
        pub use mecforge_runtime::callbacks::{
            Acknowledgement, Delivered, DeliveryError, Notification, NotificationSender, Receiver, SenderBuilder, router,
        };
        #imports
        #(#items)*
    };
    Ok(vec![source_file(api, "src/callbacks.rs", &job, tokens)?])
}
