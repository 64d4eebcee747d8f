//! `cargo fuzz run unpack`; built plainly, reads the files that it is given.
#![cfg_attr(fuzzing, no_main)]

#[allow(dead_code)]
#[path = "../src/bodies.rs"]
mod bodies;

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|bytes: &[u8]| bodies::unpacked(bytes));

#[cfg(not(fuzzing))]
fn main() -> std::io::Result<()> {
    for path in std::env::args_os().skip(1) {
        bodies::unpacked(&std::fs::read(path)?);
    }
    Ok(())
}
