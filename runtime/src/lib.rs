//! Sigurg: goroutines for Rust that no busy loop can starve.
//!
//! This crate will be the scheduler of Go's `proc.go` in Rust: G, M and P, work stealing, sysmon,
//! and preemption at any instruction by SIGURG. So far it is only this page: the rules that will
//! judge it come first, in `sigurg-model`, and are themselves judged by recordings of the real Go
//! runtime (see the README).
