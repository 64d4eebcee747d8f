//! Ways to people: how each fares.

use super::super::html::Html;
use super::super::words::minute;
use crate::model::standing::ChannelStatus;

/// A table of the channels; nothing where none is configured.
pub(super) fn write(html: &mut Html, channels: &[ChannelStatus]) {
    if channels.is_empty() {
        return;
    }
    html.raw("<section class=\"panel wide\" id=\"channels\" aria-labelledby=\"channels-h\"><header><h2 id=\"channels-h\">Who is told</h2></header>");
    html.raw("<p class=\"about\">The channels of <span class=\"code\">notify</span>. <span class=\"code\">sentinel notify test</span> sends a sample.</p>");
    html.raw("<div class=\"scroll\" role=\"region\" tabindex=\"0\" aria-label=\"Channels, table\"><table><caption class=\"unseen\">Channels</caption>\
        <thead><tr><th scope=\"col\">Channel</th><th scope=\"col\">Kind</th><th scope=\"col\">State</th>\
        <th scope=\"col\">Last sent</th><th scope=\"col\" class=\"num\">Waiting</th><th scope=\"col\">Next try</th>\
        <th scope=\"col\">Error</th></tr></thead><tbody>");
    for channel in channels {
        write_row(html, channel);
    }
    html.raw("</tbody></table></div></section>\n");
}

fn write_row(html: &mut Html, channel: &ChannelStatus) {
    html.raw("<tr><th scope=\"row\">").text(&channel.name);
    html.raw("</th><td class=\"short\">").text(&channel.kind);
    html.raw(if channel.failures > 0 {
        "</td><td class=\"short\"><span class=\"badge bad\">failing</span></td><td class=\"short\">"
    } else {
        "</td><td class=\"short\"><span class=\"badge good\">ok</span></td><td class=\"short\">"
    });
    instant(html, channel.last_success.map(|at| at.timestamp()));
    html.raw("</td><td class=\"num\">")
        .int(channel.waiting as i64);
    html.raw("</td><td class=\"short\">");
    instant(html, channel.next_try.map(|at| at.timestamp()));
    html.raw("</td><td>");
    match &channel.last_error {
        Some((at, error)) => {
            html.text(&minute(at.timestamp())).raw(": ").text(error);
        }
        None => {
            html.raw("<span class=\"none\">\u{2013}</span>");
        }
    }
    html.raw("</td></tr>");
}

fn instant(html: &mut Html, utc_secs: Option<i64>) {
    match utc_secs {
        Some(at) => html.text(&minute(at)),
        None => html.raw("<span class=\"none\">\u{2013}</span>"),
    };
}
