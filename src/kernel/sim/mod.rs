//! A deterministic model of the machine: state and error numbers, never narration.
