//! The fast tokeniser: `quick-xml` over a window of the document, borrowing from it.

use quick_xml::Error;
use quick_xml::events::Event;
use quick_xml::reader::Reader;

use super::builder::Builder;
use super::stop::Stop;

/// Feeds the events of `window` to `builder` and returns how many bytes were used. Where more bytes follow, the last
/// token is left to the next window unless it is surely whole.
pub(super) fn feed(window: &[u8], is_last: bool, builder: &mut Builder<'_>) -> Result<usize, Stop> {
    let mut reader = Reader::from_reader(window);
    let config = reader.config_mut();
    config.check_end_names = false;
    config.allow_unmatched_ends = true;
    config.allow_dangling_amp = true;
    loop {
        let before = reader.buffer_position() as usize;
        let event = match reader.read_event() {
            Ok(event) => event,
            Err(Error::Syntax(_) | Error::Encoding(_))
                if !is_last && reaches_end(&reader, window) =>
            {
                return Ok(before);
            }
            Err(Error::Syntax(_))
                if is_root_end(&window[before..]) && builder.is_between_records() =>
            {
                return Ok(before);
            }
            Err(Error::Encoding(_)) => return Err(Stop::Encoding),
            Err(error) => return Err(Stop::Malformed(error.to_string())),
        };
        if matches!(event, Event::Text(_)) && !is_last && reaches_end(&reader, window) {
            return Ok(before);
        }
        if matches!(event, Event::Eof) {
            return Ok(before);
        }
        pass(event, builder)?;
        if builder.is_done() {
            return Ok(reader.buffer_position() as usize);
        }
    }
}

fn reaches_end(reader: &Reader<&[u8]>, window: &[u8]) -> bool {
    reader.buffer_position() as usize >= window.len()
}

/// The beginning of an end tag, cut off.
pub(super) fn is_root_end(rest: &[u8]) -> bool {
    rest == b"<" || rest.starts_with(b"</") && rest.len() < 64 && !rest.contains(&b'>')
}

fn pass(event: Event<'_>, builder: &mut Builder<'_>) -> Result<(), Stop> {
    match event {
        Event::Start(tag) => builder.start(tag.name().0, tag.attributes_raw()),
        Event::Empty(tag) => {
            let name = tag.name().0;
            builder.start(name, tag.attributes_raw())?;
            builder.end(name)
        }
        Event::End(tag) => builder.end(tag.name().0),
        Event::Text(text) => {
            let text: &str = &text;
            if text.starts_with('&') {
                builder.bare_ampersand(text);
            }
            builder.text(text);
            Ok(())
        }
        Event::CData(text) => {
            builder.text(&text);
            Ok(())
        }
        Event::GeneralRef(reference) => {
            builder.reference(&reference);
            Ok(())
        }
        Event::DocType(_) => builder.doctype(),
        Event::Comment(_) | Event::Decl(_) | Event::PI(_) | Event::Eof => Ok(()),
    }
}
