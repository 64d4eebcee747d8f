//! Alerts: published, or drawn again where somebody did something with them since; and what people do.

use std::sync::Arc;

use hyper::StatusCode;
use hyper::body::Body;
use hyper::header::HeaderMap;
use serde_json::json;

use super::act::{failed, read};
use super::alert_desk::{AlertForm, Undone};
use super::alert_question::question;
use super::answer::{Answer, HTML, JSON};
use super::problem::Problem;
use super::respond::{Server, absent, blocking, file, on_request};
use super::wish::{self, Encoding};
use crate::model::alert::Action;
use crate::render::alerts::{json_path, page_path};

/// `/alerts` and `/api/alerts`, with what the query of the address asks for.
pub(crate) async fn list(
    server: &Arc<Server>,
    form: AlertForm,
    query: Option<&str>,
) -> Result<Answer, Problem> {
    let asked =
        question(query).map_err(|why| Problem::new(StatusCode::BAD_REQUEST, "bad-value", why))?;
    let Some(asked) = asked else {
        return blocking(server, move |server| {
            let path = match form {
                AlertForm::Page => "site/alerts.html",
                AlertForm::Json => "site/api/alerts.json",
            };
            let drawn = server.sources.alerts.list(None, form);
            answer(server, form, drawn, path)
        })
        .await;
    };
    on_request(server, move |server| {
        let drawn = server.sources.alerts.list(Some(&asked), form);
        fresh(form, drawn)?.ok_or_else(|| absent(server))
    })
    .await
}

/// `/alerts/{id}` and `/api/alerts/{id}`: published, drawn again because somebody did something with it, or without a
/// file of its own.
pub(crate) async fn one(
    server: &Arc<Server>,
    id: String,
    form: AlertForm,
) -> Result<Answer, Problem> {
    let asked = id.clone();
    let published = blocking(server, move |server| published(server, &asked, form)).await;
    match published {
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {}
        other => return other,
    }
    on_request(server, move |server| {
        let drawn = server.sources.alerts.drawn(&id, form, None);
        fresh(form, drawn)?.ok_or_else(Problem::not_found)
    })
    .await
}

fn published(server: &Server, id: &str, form: AlertForm) -> Result<Answer, Problem> {
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
    match fresh(form, drawn)? {
        Some(answer) => Ok(answer),
        None => file(server, path)?.ok_or_else(|| absent(server)),
    }
}

fn fresh(
    form: AlertForm,
    drawn: anyhow::Result<Option<Vec<u8>>>,
) -> Result<Option<Answer>, Problem> {
    let drawn = drawn.map_err(|error| failed("drawing alerts as they stand", &error))?;
    let kind = match form {
        AlertForm::Page => HTML,
        AlertForm::Json => JSON,
    };
    Ok(drawn.map(|content| Answer::fresh(StatusCode::OK, kind, content)))
}

/// `POST /api/alerts/{id}/ack`, `…/resolve` and `…/reopen`, behind all gates. A browser is led to the page of the
/// alert, also to one that says why nothing is done.
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
    match take_on(server, id.clone(), action, headers, body).await {
        Err(problem) if wish::wants_page(headers) => {
            blocking(server, move |server| refused(server, &id, problem)).await
        }
        other => other,
    }
}

/// The alert as it stands, with the reason on top; the reason alone where there is no such alert.
fn refused(server: &Server, id: &str, problem: Problem) -> Result<Answer, Problem> {
    let alerts = &server.sources.alerts;
    let page = alerts.drawn(id, AlertForm::Page, Some(&problem.message));
    match page {
        Ok(Some(page)) => {
            let mut answer = Answer::fresh(problem.status, HTML, page);
            answer.headers.extend(problem.headers);
            Ok(answer)
        }
        Ok(None) => Err(problem),
        Err(error) => {
            failed("drawing an alert as it stands", &error);
            Err(problem)
        }
    }
}

async fn take_on<B>(
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
        let drawn = server.sources.alerts.drawn(&id, AlertForm::Json, None);
        match fresh(AlertForm::Json, drawn) {
            Ok(Some(answer)) => Ok(answer),
            // It was done; that what is published cannot be read is another matter.
            _ => Ok(Answer::state(StatusCode::OK, &json!({ "id": id }))),
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
