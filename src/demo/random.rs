//! Reproducible randomness: the same seed gives the same data on every machine and in every version.

/// SplitMix64. Not for secrets.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// A stream of its own for each list of keys, so that one part of the data can change without the others.
    pub fn of(seed: u64, keys: &[u64]) -> Self {
        let mut random = Self(seed);
        for key in keys {
            random.0 = random.next() ^ key.wrapping_mul(0xd6e8_feb8_6659_fd93);
        }
        random
    }

    /// 64 bits.
    pub fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut bits = self.0;
        bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        bits ^ (bits >> 31)
    }

    /// A number from `low` to `high`, both included.
    pub fn between(&mut self, low: u64, high: u64) -> u64 {
        low + self.next() % (high - low + 1)
    }

    /// True in `percent` of 100 cases.
    pub fn chance(&mut self, percent: u64) -> bool {
        self.next() % 100 < percent
    }

    /// `mean`, give or take `percent` of it.
    pub fn around(&mut self, mean: u64, percent: u64) -> u64 {
        let spread = mean * percent / 100;
        self.between(mean - spread, mean + spread)
    }
}
