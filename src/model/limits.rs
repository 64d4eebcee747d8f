//! Bounds on what a stranger's input may cost. Over a limit means a refusal with its code.

/// Section `limits` of the configuration. Defaults follow the sizes seen in real reports.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// One mail, or one local file that is not an archive of items. Code `limit-item-bytes`.
    pub item_bytes: u64,
    /// One decoded attachment. Code `limit-part-bytes`.
    pub part_bytes: u64,
    /// One document after decompression. Code `limit-document-bytes`.
    pub document_bytes: u64,
    /// All documents of one item together. Code `limit-total-bytes`.
    pub total_bytes: u64,
    /// Decompressed to compressed size, enforced only above [`Limits::ratio_from_bytes`]. Code `limit-ratio`.
    pub ratio: u64,
    /// Below this decompressed size any ratio is fine.
    pub ratio_from_bytes: u64,
    /// Containers inside containers. Code `limit-nesting`.
    pub nesting: u32,
    /// Entries of all archives in one mail. Code `limit-entries`.
    pub mail_entries: u32,
    /// Entries of one local archive. Code `limit-entries`.
    pub file_entries: u32,
    /// MIME parts of one mail. Code `limit-parts`.
    pub mime_parts: u32,
    /// Depth of MIME parts. Code `limit-mime-depth`.
    pub mime_depth: u32,
    /// Depth of XML elements or JSON values. Code `limit-depth`.
    pub depth: u32,
    /// `<record>`s of one report. Code `limit-records`.
    pub records: u64,
    /// DKIM, SPF and reason entries of one record. Code `limit-results`.
    pub results_per_record: u32,
    /// One text field, and a fourth of those of one record together; longer text is cut and noted as an oddity, never
    /// refused.
    pub text_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        const MIB: u64 = 1 << 20;
        Self {
            item_bytes: 25 * MIB,
            part_bytes: 15 * MIB,
            document_bytes: 64 * MIB,
            total_bytes: 256 * MIB,
            ratio: 300,
            ratio_from_bytes: 16 * MIB,
            nesting: 3,
            mail_entries: 1_000,
            file_entries: 100_000,
            mime_parts: 100,
            mime_depth: 10,
            depth: 32,
            records: 1_000_000,
            results_per_record: 200,
            text_bytes: 4096,
        }
    }
}
