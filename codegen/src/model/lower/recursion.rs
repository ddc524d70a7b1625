//! Types that would contain themselves get a box where the circle closes.

use crate::model::shape::Shape;
use crate::model::types::{Type, TypeId, TypeKind};

/// Boxes fields and members by which a type would contain itself without end. Lists and maps are on the heap
/// anyway and break the circle by themselves.
pub(super) fn box_cycles(types: &mut [Type]) {
    for index in 0..types.len() {
        let own = TypeId(index);
        for slot in 0..slots(&types[index].kind) {
            let target = direct(slot_shape(&types[index].kind, slot));
            if target.is_some_and(|target| reaches(types, target, own, &mut vec![false; types.len()])) {
                set_boxed(&mut types[index].kind, slot);
            }
        }
    }
}

fn slots(kind: &TypeKind) -> usize {
    match kind {
        TypeKind::Struct(object) => object.fields.len(),
        TypeKind::Union(union) => union.members.len(),
        _ => 0,
    }
}

fn slot_shape(kind: &TypeKind, slot: usize) -> &Shape {
    match kind {
        TypeKind::Struct(object) => &object.fields[slot].shape,
        TypeKind::Union(union) => &union.members[slot].shape,
        TypeKind::Alias(alias) => &alias.shape,
        TypeKind::Enumeration(_) | TypeKind::IntegerEnumeration(_) => &Shape::Any,
    }
}

fn set_boxed(kind: &mut TypeKind, slot: usize) {
    match kind {
        TypeKind::Struct(object) => object.fields[slot].boxed = true,
        TypeKind::Union(union) => union.members[slot].boxed = true,
        _ => {}
    }
}

/// The type that a shape holds directly, without a list, a map or a box between.
fn direct(shape: &Shape) -> Option<TypeId> {
    match shape {
        Shape::Named(id) => Some(*id),
        Shape::Nullable(inner) => direct(inner),
        _ => None,
    }
}

/// Whether a value of type `from` holds a value of type `to` directly.
fn reaches(types: &[Type], from: TypeId, to: TypeId, seen: &mut [bool]) -> bool {
    if from == to {
        return true;
    }
    if std::mem::replace(&mut seen[from.0], true) {
        return false;
    }
    let kind = &types[from.0].kind;
    let boxed = |slot: usize| match kind {
        TypeKind::Struct(object) => object.fields[slot].boxed,
        TypeKind::Union(union) => union.members[slot].boxed,
        _ => false,
    };
    let count = if matches!(kind, TypeKind::Alias(_)) {
        1
    } else {
        slots(kind)
    };
    (0..count)
        .filter(|slot| !boxed(*slot))
        .filter_map(|slot| direct(slot_shape(kind, slot)))
        .any(|target| reaches(types, target, to, seen))
}
