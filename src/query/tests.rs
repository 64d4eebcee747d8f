//! (cases)
