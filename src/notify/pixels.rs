//! A canvas of a few colours, and digits drawn into it: a picture for mail programs, which show no SVG.

use std::ops::Range;

/// Height of a glyph, in its own pixels.
pub const GLYPH_HEIGHT: usize = 7;
/// Width of a glyph and the gap behind it.
const GLYPH_STEP: usize = 6;

/// Colours by their index: background, ink, line, passed, failed; those of the pages in light.
const PALETTE: [u8; 15] = [
    0xff, 0xff, 0xff, 0x56, 0x61, 0x73, 0xe2, 0xe6, 0xec, 0x2f, 0x7f, 0xc1, 0xc8, 0x50, 0x1b,
];

/// Glyphs of what labels hold, a row a number, its five low bits from left to right.
const GLYPHS: [(char, [u8; GLYPH_HEIGHT]); 15] = [
    ('0', [14, 17, 19, 21, 25, 17, 14]),
    ('1', [4, 12, 4, 4, 4, 4, 14]),
    ('2', [14, 17, 1, 2, 4, 8, 31]),
    ('3', [31, 2, 4, 2, 1, 17, 14]),
    ('4', [2, 6, 10, 18, 31, 2, 2]),
    ('5', [31, 16, 30, 1, 1, 17, 14]),
    ('6', [6, 8, 16, 30, 17, 17, 14]),
    ('7', [31, 1, 2, 4, 8, 8, 8]),
    ('8', [14, 17, 17, 14, 17, 17, 14]),
    ('9', [14, 17, 17, 15, 1, 2, 12]),
    ('-', [0, 0, 0, 31, 0, 0, 0]),
    ('.', [0, 0, 0, 0, 0, 12, 12]),
    ('k', [16, 16, 18, 20, 24, 20, 18]),
    ('M', [17, 27, 21, 21, 17, 17, 17]),
    ('G', [14, 17, 16, 23, 17, 17, 15]),
];

/// A picture in the making.
pub struct Canvas {
    width: usize,
    pixels: Vec<u8>,
}

impl Canvas {
    const INK: u8 = 1;
    /// The colour of lines.
    pub const LINE: u8 = 2;
    /// The colour of what passed.
    pub const PASSED: u8 = 3;
    /// The colour of what failed.
    pub const FAILED: u8 = 4;

    /// An empty one.
    pub fn new(width: usize, height: usize) -> Self {
        Self {
            width,
            pixels: vec![0; width * height],
        }
    }

    /// Fills a rectangle; what lies outside is left out.
    pub fn fill(&mut self, columns: Range<usize>, rows: Range<usize>, colour: u8) {
        for row in rows {
            let begin = row * self.width;
            let end = columns.end.min(self.width);
            let Some(line) = self.pixels.get_mut(begin..begin + self.width) else {
                return;
            };
            if let Some(part) = line.get_mut(columns.start..end) {
                part.fill(colour);
            }
        }
    }

    /// Writes a label; what has no glyph leaves a gap.
    pub fn text(&mut self, x: usize, y: usize, scale: usize, label: &str) {
        for (at, character) in label.chars().enumerate() {
            let Some((_, rows)) = GLYPHS.iter().find(|(known, _)| *known == character) else {
                continue;
            };
            for (row, bits) in rows.iter().enumerate() {
                for column in (0..5).filter(|column| bits >> (4 - column) & 1 == 1) {
                    let left = x + (at * GLYPH_STEP + column) * scale;
                    let top = y + row * scale;
                    self.fill(left..left + scale, top..top + scale, Self::INK);
                }
            }
        }
    }

    /// The bytes of a PNG file.
    pub fn png(&self) -> Option<Vec<u8>> {
        let mut bytes = Vec::new();
        let width = u32::try_from(self.width).ok()?;
        let height = u32::try_from(self.pixels.len() / self.width.max(1)).ok()?;
        let mut encoder = png::Encoder::new(&mut bytes, width, height);
        encoder.set_color(png::ColorType::Indexed);
        encoder.set_depth(png::BitDepth::Eight);
        encoder.set_palette(&PALETTE[..]);
        let mut writer = encoder.write_header().ok()?;
        writer.write_image_data(&self.pixels).ok()?;
        writer.finish().ok()?;
        Some(bytes)
    }
}

/// How wide a label is.
pub fn text_width(label: &str, scale: usize) -> usize {
    (label.chars().count() * GLYPH_STEP).saturating_sub(1) * scale
}
