//! What the text of a parameter or header stands for, as an expression of the runtime's `Kind`.

use proc_macro2::TokenStream;
use quote::quote;

use crate::model::Api;
use crate::model::shape::Shape;
use crate::model::types::TypeKind;

/// How deep objects in parameters are described; what lies deeper is read by its looks.
const DEEPEST_KIND: usize = 4;

/// What the text of a parameter of this shape stands for.
pub(in crate::emit) fn kind(api: &Api, shape: &Shape) -> TokenStream {
    kind_at(api, shape, 0)
}

fn kind_at(api: &Api, shape: &Shape, depth: usize) -> TokenStream {
    if depth > DEEPEST_KIND {
        return quote!(Kind::Any);
    }
    match shape {
        Shape::Any => quote!(Kind::Any),
        Shape::Boolean => quote!(Kind::Boolean),
        Shape::Integer(_) => quote!(Kind::Integer),
        Shape::Number(_) => quote!(Kind::Number),
        Shape::String(_) => quote!(Kind::Text),
        Shape::Array { items, .. } => {
            let item = kind_at(api, items, depth + 1);
            quote!(Kind::List(&#item))
        }
        Shape::Map { .. } => quote!(Kind::Object(&[])),
        Shape::Nullable(inner) => kind_at(api, inner, depth),
        Shape::Named(id) => match &api.type_of(*id).kind {
            TypeKind::Enumeration(_) => quote!(Kind::Text),
            TypeKind::IntegerEnumeration(_) => quote!(Kind::Integer),
            TypeKind::Alias(alias) => kind_at(api, &alias.shape, depth + 1),
            TypeKind::Union(_) => quote!(Kind::Any),
            TypeKind::Struct(object) => {
                let fields = object.fields.iter().map(|field| {
                    let (name, kind) = (&field.api_name, kind_at(api, &field.shape, depth + 1));
                    quote!((#name, #kind))
                });
                quote!(Kind::Object(&[#(#fields),*]))
            }
        },
    }
}
