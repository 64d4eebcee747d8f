//! A sending address -> what others say of it: the name of its host by DNS, its network by files in MMDB form.
//!
//! Both are data of strangers: answers are bounded, names that are no host names and names that do not lead back to the
//! address are none, and a damaged file costs the facts of an address, never a run.

mod lookup;
mod message;
mod networks;
mod pace;
mod servers;

#[cfg(test)]
mod tests;

pub use lookup::{Resolver, Timeouts};
pub use networks::{MOST_FILE_BYTES, NetworkFile, Networks, check_file};
pub use pace::{Pace, look_up_all};
pub use servers::{RESOLV_CONF, system_servers};
