//! Threads with names, which `top -H` and a profiler show.

use std::thread::{Builder, Scope, ScopedJoinHandle};

use anyhow::{Context, Result};

/// Starts a named thread in a scope. The name has at most 15 bytes on Linux.
pub(super) fn spawn<'scope, T: Send + 'scope>(
    scope: &'scope Scope<'scope, '_>,
    name: &str,
    work: impl FnOnce() -> T + Send + 'scope,
) -> Result<ScopedJoinHandle<'scope, T>> {
    Builder::new()
        .name(name.to_owned())
        .spawn_scoped(scope, work)
        .with_context(|| format!("starting thread {name}"))
}
