//! Composes pictures: layouts, scaling, names and fades.
