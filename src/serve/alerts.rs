//! Alerts: published, or drawn again where somebody did something with them since; and what people do.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Body;
use hyper::header::HeaderMap;
use serde_json::json;

use super::act::{failed, read};
use super::alert_desk::{AlertForm, Undone};
use super::answer::{Answer, HTML, JSON};
use super::problem::Problem;
use super::respond::{Server, absent, blocking, file};
use super::wish::{self, Encoding};
use crate::model::alert::Action;
use crate::render::alerts::{json_path, page_path};

/// `/alerts` and `/api/alerts`.
pub(crate) fn list(server: &Server, form: AlertForm) -> Result<Answer, Problem> {
    let path = match form {
        AlertForm::Page => "site/alerts.html",
        AlertForm::Json => "site/api/alerts.json",
    };
    let drawn = server.sources.alerts.list(form);
    answer(server, form, drawn, path)
}

/// `/alerts/{id}` and `/api/alerts/{id}`.
pub(crate) fn one(server: &Server, id: &str, form: AlertForm) -> Result<Answer, Problem> {
    let path = match form {
        AlertForm::Page => page_path(id),
        AlertForm::Json => json_path(id),
    };
    let drawn = server.sources.alerts.one(id, form);
    answer(server, form, drawn, &path)
}

/// What was drawn now, else the published file.
fn answer(
    server: &Server,
    form: AlertForm,
    drawn: anyhow::Result<Option<Vec<u8>>>,
    path: &str,
) -> Result<Answer, Problem> {
    let drawn = drawn.map_err(|error| failed("drawing an alert as it stands", &error))?;
    let kind = match form {
        AlertForm::Page => HTML,
        AlertForm::Json => JSON,
    };
    match drawn {
        Some(content) => Ok(Answer::fresh(StatusCode::OK, kind, content)),
        None => file(server, path)?.ok_or_else(|| absent(server)),
    }
}

/// `POST /api/alerts/{id}/ack`, `…/resolve` and `…/reopen`, behind all gates.
pub(crate) async fn act<B>(
    server: &Arc<Server>,
    id: String,
    action: Action,
    headers: &HeaderMap,
    body: B,
) -> Result<Answer, Problem>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let encoding = super::act::encoding(headers)?;
    let body = read(server, body).await?;
    let note = wish::note(encoding, &body)
        .map_err(|why| Problem::new(StatusCode::BAD_REQUEST, "bad-value", why))?;
    let is_form = encoding == Encoding::Form && !wish::wants_json(headers);
    blocking(server, move |server| {
        let done = server.sources.alerts.act(&id, action, note.as_deref());
        done.map_err(undone)?;
        let base = &server.config.base_path;
        if is_form {
            return Ok(Answer::redirect(&format!("{base}/alerts/{id}")));
        }
        match one(server, &id, AlertForm::Json) {
            Ok(answer) => Ok(answer),
            // It was done; that what is published cannot be read is another matter.
            Err(_) => Ok(Answer::state(StatusCode::OK, &json!({ "id": id }))),
        }
    })
    .await
}

fn undone(why: Undone) -> Problem {
    let (status, code) = match &why {
        Undone::Unknown => return Problem::not_found(),
        Undone::Conflict(_) => (StatusCode::CONFLICT, "conflict"),
        Undone::Value(_) => (StatusCode::BAD_REQUEST, "bad-value"),
        Undone::Failed(error) => return failed("noting an action", error),
    };
    Problem::new(status, code, why.to_string())
}
