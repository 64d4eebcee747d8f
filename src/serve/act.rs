//! Routes that are not files: how things stand, jobs, and the requests that ask for them.

use std::sync::Arc;

use http_body_util::{BodyExt as _, LengthLimitError, Limited};
use hyper::StatusCode;
use hyper::body::{Body, Bytes};
use hyper::header::{self, HeaderMap, HeaderValue};
use serde_json::{Value, json};
use tokio::time::timeout;

use super::answer::{Answer, HTML};
use super::desk::{Declined, Kind};
use super::metrics::{self, Told};
use super::problem::Problem;
use super::respond::{Server, blocking, found, last_check};
use super::wish::{self, Encoding};
use super::{jobs, status};
use crate::render::homepage::Homepage;
use crate::render::inboxes::InboxesView;

/// Jobs on the page.
const JOBS_SHOWN: usize = 50;
/// Jobs in one answer.
const JOBS_LISTED: usize = 500;

/// `/health`.
pub(crate) fn health(server: &Server) -> Answer {
    let is_published = server.current().map(|current| current.is_some());
    let standing = server.sources.desk.standing();
    status::health(status::health_word(is_published, &standing))
}

/// `/api/status`.
pub(crate) fn status(server: &Server) -> Answer {
    let current = server.current();
    let published = current
        .as_ref()
        .map(Option::as_deref)
        .map_err(|error| *error);
    let standing = server.sources.desk.standing();
    status::status(
        published,
        &standing,
        last_check(server),
        (server.sources.now)(),
    )
}

/// `/metrics`.
pub(crate) fn metrics(server: &Server) -> Result<Answer, Problem> {
    let current = server.current();
    let standing = server.sources.desk.standing();
    let homepage = match &current {
        Ok(Some(_)) => found(server, "site/api/homepage.json")?,
        _ => None,
    };
    let homepage = homepage.map(|file| serde_json::from_slice::<Homepage>(&file.content));
    let homepage = homepage
        .transpose()
        .map_err(|error| failed("reading the published homepage JSON", &error.into()))?;
    let is_published = current
        .as_ref()
        .map(Option::is_some)
        .map_err(|error| *error);
    let text = metrics::text(&Told {
        health: status::health_word(is_published, &standing),
        standing: &standing,
        current: current.as_ref().ok().and_then(Option::as_deref),
        homepage: homepage.as_ref(),
        last_check: last_check(server),
    });
    Ok(Answer::fresh(
        StatusCode::OK,
        metrics::CONTENT_TYPE,
        text.into_bytes(),
    ))
}

/// What `/inboxes` is asked with.
#[derive(Debug, Default)]
pub(crate) struct Look {
    /// A job that was just asked for.
    job: Option<String>,
    /// What was just asked for and is not done, and why.
    refused: Option<Problem>,
    /// Whether the page stays as it is.
    is_still: bool,
}

impl Look {
    /// From the query of the address; what is unknown in it says nothing.
    pub(crate) fn of(query: Option<&str>) -> Self {
        let mut look = Self::default();
        for pair in query.unwrap_or_default().split('&') {
            match pair.split_once('=') {
                Some(("job", id)) => look.job = Some(id.to_owned()),
                Some(("refresh", "off")) => look.is_still = true,
                _ => {}
            }
        }
        look
    }
}

/// `/inboxes`
pub(crate) fn inboxes(server: &Server, look: &Look) -> Result<Answer, Problem> {
    let sources = &server.sources;
    let standing = sources.desk.standing();
    let jobs = sources.desk.jobs(JOBS_SHOWN).map_err(|error| {
        failed("reading the jobs", &error);
    });
    let page = (sources.inboxes_page)(&InboxesView {
        standing: &standing,
        jobs: jobs.as_ref().ok().map(|jobs| jobs.newest.as_slice()),
        all_jobs: jobs.as_ref().map_or(0, |jobs| jobs.total),
        now: (sources.now)(),
        asked: look.job.as_deref(),
        refused: look.refused.as_ref().map(|problem| &*problem.message),
        may_refresh: !look.is_still,
    });
    let page = page.map_err(|error| failed("drawing the page of the inboxes", &error))?;
    let refused = look.refused.as_ref();
    let status = refused.map_or(StatusCode::OK, |problem| problem.status);
    Ok(Answer::fresh(status, HTML, page))
}

/// `/api/admin/import-jobs`.
pub(crate) fn jobs(server: &Server) -> Result<Answer, Problem> {
    let found = server.sources.desk.jobs(JOBS_LISTED);
    let found = found.map_err(|error| failed("reading the jobs", &error))?;
    let jobs: Vec<Value> = found.newest.iter().map(jobs::json).collect();
    let value = json!({ "jobs": jobs, "total": found.total });
    Ok(Answer::state(StatusCode::OK, &value))
}

/// `/api/admin/import-jobs/{id}`.
pub(crate) fn job(server: &Server, id: &str) -> Result<Answer, Problem> {
    let found = server.sources.desk.job(id);
    let found = found.map_err(|error| failed("reading the jobs", &error))?;
    let job = found.ok_or_else(Problem::not_found)?;
    Ok(Answer::state(StatusCode::OK, &jobs::json(&job)))
}

/// `POST …/process-now` and `POST …/backlog`, behind all gates. A browser is led to the page, also to one that says
/// why nothing is done.
pub(crate) async fn ask<B>(
    server: &Arc<Server>,
    kind: Kind,
    headers: &HeaderMap,
    body: B,
) -> Result<Answer, Problem>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    match take_on(server, kind, headers, body).await {
        Ok(answer) => Ok(answer),
        Err(problem) if wish::wants_page(headers) => {
            let headers = problem.headers.clone();
            let look = Look {
                refused: Some(problem),
                ..Look::default()
            };
            let page = blocking(server, move |server| inboxes(server, &look));
            page.await.map(|mut answer| {
                answer.headers.extend(headers);
                answer
            })
        }
        Err(problem) => Err(problem),
    }
}

async fn take_on<B>(
    server: &Arc<Server>,
    kind: Kind,
    headers: &HeaderMap,
    body: B,
) -> Result<Answer, Problem>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let encoding = encoding(headers)?;
    let body = read(server, body).await?;
    let parameters = wish::parameters(kind, encoding, &body)
        .map_err(|why| Problem::new(StatusCode::BAD_REQUEST, "bad-value", why))?;
    let is_form = encoding == Encoding::Form && !wish::wants_json(headers);
    blocking(server, move |server| {
        let id = server
            .sources
            .desk
            .ask(kind, parameters)
            .map_err(declined)?;
        let base = &server.config.base_path;
        Ok(if is_form {
            Answer::redirect(&format!("{base}/inboxes?job={id}"))
        } else {
            accepted(&id, &format!("{base}/api/admin/import-jobs/{id}"))
        })
    })
    .await
}

fn accepted(id: &str, url: &str) -> Answer {
    let value = json!({ "id": id, "url": url });
    let mut answer = Answer::state(StatusCode::ACCEPTED, &value);
    let location = HeaderValue::from_str(url).ok();
    answer
        .headers
        .extend(location.map(|value| (header::LOCATION, value)));
    answer
}

/// How a body is written.
pub(super) fn encoding(headers: &HeaderMap) -> Result<Encoding, Problem> {
    Encoding::of(headers).map_err(|()| {
        closing(Problem::new(
            StatusCode::UNSUPPORTED_MEDIA_TYPE,
            "unknown-encoding",
            "The body has to be application/json or application/x-www-form-urlencoded.",
        ))
    })
}

/// The whole body, or no more than it may have.
pub(super) async fn read<B>(server: &Server, body: B) -> Result<Bytes, Problem>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let limits = &server.config.limits;
    let too_large = || {
        closing(Problem::new(
            StatusCode::PAYLOAD_TOO_LARGE,
            "body-too-large",
            format!("The body is larger than {} bytes.", limits.body_bytes),
        ))
    };
    if body.size_hint().lower() > limits.body_bytes as u64 {
        return Err(too_large());
    }
    let body = Box::pin(Limited::new(body, limits.body_bytes));
    match timeout(limits.body_timeout, body.collect()).await {
        Ok(Ok(body)) => Ok(body.to_bytes()),
        Ok(Err(error)) if error.is::<LengthLimitError>() => Err(too_large()),
        Ok(Err(_)) => Err(closing(Problem::new(
            StatusCode::BAD_REQUEST,
            "body-cut",
            "The body ended too early.",
        ))),
        Err(_) => Err(closing(Problem::new(
            StatusCode::REQUEST_TIMEOUT,
            "body-too-slow",
            "The body did not come in time.",
        ))),
    }
}

/// What of a body was not read would be taken for the next request.
fn closing(problem: Problem) -> Problem {
    problem.with(header::CONNECTION, HeaderValue::from_static("close"))
}

fn declined(why: Declined) -> Problem {
    let (status, code) = match &why {
        Declined::NoMailbox(_) => (StatusCode::CONFLICT, "no-inboxes"),
        Declined::Value(_) => (StatusCode::BAD_REQUEST, "bad-value"),
        Declined::Busy(_) => (StatusCode::SERVICE_UNAVAILABLE, "busy"),
        Declined::Failed(error) => return failed("taking on a job", error),
    };
    Problem::new(status, code, why.to_string())
}

pub(super) fn failed(what: &'static str, error: &anyhow::Error) -> Problem {
    tracing::error!(error = format!("{error:#}"), "{what}");
    Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "internal",
        "Something went wrong. The log says more.",
    )
}
