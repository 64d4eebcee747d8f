//! `cargo fuzz run mail`; built plainly, reads the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[allow(dead_code)]
#[path = "../src/bodies.rs"]
mod bodies;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::mail(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        bodies::mail(&std::fs::read(path)?);
    }
    Ok(())
}
