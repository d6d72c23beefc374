//! Checks traces of a goroutine runtime against the model, and explores the model itself.

#![forbid(unsafe_code)]

pub mod explore;
