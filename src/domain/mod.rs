//! Decisions: pure functions and the types they speak of.
