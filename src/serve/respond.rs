//! One request -> one response: the gates in their order, then the route.

use std::io;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use http_body_util::Full;
use hyper::body::{Body, Bytes};
use hyper::{Method, Request, Response, StatusCode};
use tokio::sync::Semaphore;
use tokio::time::{Instant, timeout};

use super::act;
use super::admit::{Gate, admit};
use super::alerts;
use super::answer::{Answer, HTML, JSON, content_type};
use super::problem::Problem;
use super::published::{Current, Found, Published};
use super::route::{self, Route};
use super::settings::{ReportForm, ServeConfig, Sources};
use super::status::{self, Unreadable};
use super::throttle::Throttle;
use super::wish;
use crate::render::asset;

/// Everything that requests share.
pub struct Server {
    pub(crate) config: ServeConfig,
    pub(crate) sources: Sources,
    published: Published,
    throttle: Mutex<Throttle>,
    older_reports: Arc<Semaphore>,
}

impl Server {
    /// A server over published files; opens nothing yet.
    pub fn new(config: ServeConfig, sources: Sources) -> Self {
        let limits = &config.limits;
        let window_secs = i64::try_from(limits.login_window.as_secs()).unwrap_or(i64::MAX);
        Self {
            throttle: Mutex::new(Throttle::new(limits.login_failures, window_secs)),
            older_reports: Arc::new(Semaphore::new(limits.older_reports)),
            published: Published::new(sources.public_dir.clone()),
            config,
            sources,
        }
    }

    fn gate(&self) -> Gate<'_> {
        Gate {
            config: &self.config,
            throttle: &self.throttle,
            now_utc: (self.sources.now)(),
        }
    }
}

/// Answers a request of `peer`; never fails, writes one log line without the names in the path.
pub(crate) async fn respond<B>(
    server: &Arc<Server>,
    peer: IpAddr,
    request: Request<B>,
) -> Response<Full<Bytes>>
where
    B: Body<Error: Into<Box<dyn std::error::Error + Send + Sync>>>,
{
    let started = Instant::now();
    let has_body = !request.body().is_end_stream();
    let (head, body) = request.into_parts();
    let routed = route::route(head.uri.path(), &server.config.base_path);
    // Who presses a button looks at the answer.
    let is_looked_at = routed.is_action() && wish::wants_page(&head.headers);
    let is_api = routed.is_api && !is_looked_at;
    let answer = match admit(&server.gate(), peer, &head, has_body, &routed) {
        Ok(()) => match routed.route {
            Route::Ask(kind) => act::ask(server, kind, &head.headers, body).await,
            Route::Act { id, action } => alerts::act(server, id, action, &head.headers, body).await,
            ref route => follow(server, route, head.uri.query()).await,
        },
        Err(problem) => Err(problem),
    };
    let config = &server.config;
    let answer = answer.unwrap_or_else(|problem| {
        problem.into_answer(is_api, &server.sources.error_page, &config.base_path)
    });
    let response = answer.into_response(&head.headers, head.method == Method::HEAD);
    tracing::info!(
        method = method_name(&head.method),
        path = routed.shape,
        status = response.status().as_u16(),
        duration_ms = u64::try_from(started.elapsed().as_millis()).unwrap_or(u64::MAX),
        "request"
    );
    response
}

async fn follow(
    server: &Arc<Server>,
    route: &Route,
    query: Option<&str>,
) -> Result<Answer, Problem> {
    match route {
        Route::Unknown | Route::Ask(_) | Route::Act { .. } => Err(Problem::not_found()),
        Route::Alerts(form) => alerts::list(server, *form, query).await,
        Route::Alert { id, form } => alerts::one(server, id.clone(), *form).await,
        Route::Inboxes => {
            let look = act::Look::of(query);
            blocking(server, move |server| act::inboxes(server, &look)).await
        }
        Route::Metrics => blocking(server, act::metrics).await,
        Route::Jobs => blocking(server, act::jobs).await,
        Route::Job(id) => {
            let id = id.clone();
            blocking(server, move |server| act::job(server, &id)).await
        }
        Route::Redirect(location) => Ok(Answer::redirect(location)),
        Route::Health => blocking(server, |server| Ok(act::health(server))).await,
        Route::Status => blocking(server, |server| Ok(act::status(server))).await,
        Route::File(path) => {
            let path = path.clone();
            blocking(server, move |server| match file(server, &path)? {
                Some(answer) => Ok(answer),
                None => before_the_first(server, &path),
            })
            .await
        }
        Route::Homepage(path) => {
            let path = path.clone();
            blocking(server, move |server| homepage(server, &path)).await
        }
        Route::Report {
            file: path,
            id,
            form,
        } => report(server, path.clone(), id.clone(), *form).await,
    }
}

/// Runs file access on a thread that may block.
pub(crate) async fn blocking<F>(server: &Arc<Server>, work: F) -> Result<Answer, Problem>
where
    F: FnOnce(&Server) -> Result<Answer, Problem> + Send + 'static,
{
    let server = Arc::clone(server);
    tokio::task::spawn_blocking(move || work(&server))
        .await
        .unwrap_or_else(|error| {
            tracing::error!(%error, "answering a request failed");
            Err(Problem::internal())
        })
}

fn log_damage(error: &io::Error) {
    tracing::error!(%error, "published files cannot be read");
}

fn damaged(error: &io::Error) -> Problem {
    log_damage(error);
    Problem::internal()
}

impl Server {
    /// The published generation; `Err` where it cannot be read, which is logged.
    pub(crate) fn current(&self) -> Result<Option<Arc<Current>>, Unreadable> {
        self.published.current().map_err(|error| {
            log_damage(&error);
            Unreadable
        })
    }
}

pub(crate) fn last_check(server: &Server) -> Option<chrono::DateTime<chrono::Utc>> {
    (server.sources.last_check)().unwrap_or_else(|error| {
        tracing::error!(
            error = format!("{error:#}"),
            "reading the time of the last check"
        );
        None
    })
}

/// A path that the manifest does not name: nothing there, or nothing anywhere yet.
pub(crate) fn absent(server: &Server) -> Problem {
    match server.published.current() {
        Ok(Some(_)) => Problem::not_found(),
        Ok(None) => Problem::unpublished(),
        Err(error) => damaged(&error),
    }
}

/// Before the first generation the page that says so still needs its style sheet.
fn before_the_first(server: &Server, path: &str) -> Result<Answer, Problem> {
    let problem = absent(server);
    match asset(path) {
        Some(content) if problem.status == StatusCode::SERVICE_UNAVAILABLE => {
            Ok(Answer::made(content_type(path), content.to_vec()))
        }
        _ => Err(problem),
    }
}

pub(crate) fn found(server: &Server, path: &str) -> Result<Option<Found>, Problem> {
    server
        .published
        .read(path, server.config.limits.file_bytes)
        .map_err(|error| damaged(&error))
}

pub(crate) fn file(server: &Server, path: &str) -> Result<Option<Answer>, Problem> {
    let found = found(server, path)?;
    Ok(found.map(|found| Answer::content(content_type(path), found.content, &found.sha256)))
}

fn homepage(server: &Server, path: &str) -> Result<Answer, Problem> {
    let found = found(server, path)?.ok_or_else(|| absent(server))?;
    let json =
        status::homepage_with_last_check(&found.content, last_check(server)).map_err(|error| {
            tracing::error!(
                error = format!("{error:#}"),
                "published homepage JSON cannot be read"
            );
            Problem::internal()
        })?;
    Ok(Answer::made(JSON, json))
}

/// The published file of a report, else one made from the lake.
async fn report(
    server: &Arc<Server>,
    path: String,
    id: String,
    form: ReportForm,
) -> Result<Answer, Problem> {
    let published = blocking(server, move |server| {
        file(server, &path)?.ok_or_else(Problem::not_found)
    })
    .await;
    match published {
        Err(problem) if problem.status == StatusCode::NOT_FOUND => {}
        other => return other,
    }
    on_request(server, move |server| older_report(server, &id, form)).await
}

/// Makes what has no file: few at a time, and not for ever.
pub(crate) async fn on_request<W>(server: &Arc<Server>, make: W) -> Result<Answer, Problem>
where
    W: FnOnce(&Server) -> Result<Answer, Problem> + Send + 'static,
{
    let permits = Arc::clone(&server.older_reports);
    let made = timeout(server.config.limits.older_report_timeout, async {
        let permit = permits.acquire_owned().await.map_err(|_| Problem::busy())?;
        blocking(server, move |server| {
            // Held by the work itself: a request that gave up waiting does not make room for another.
            let _permit = permit;
            make(server)
        })
        .await
    });
    made.await.unwrap_or_else(|_| Err(Problem::busy()))
}

fn older_report(server: &Server, id: &str, form: ReportForm) -> Result<Answer, Problem> {
    let make = &server.sources.older_report;
    let current = || server.published.current().map_err(|error| damaged(&error));
    let first = current()?.ok_or_else(Problem::unpublished)?;
    let made = make(&first.generation, id, form).or_else(|error| match current() {
        // The generation may have been pruned meanwhile; the new one has the report too.
        Ok(Some(newer)) if newer.generation.number != first.generation.number => {
            make(&newer.generation, id, form)
        }
        _ => Err(error),
    });
    match made {
        Ok(Some(content)) if form == ReportForm::Page => Ok(Answer::made(HTML, content)),
        Ok(Some(content)) => Ok(Answer::made(JSON, content)),
        Ok(None) => Err(Problem::not_found()),
        Err(error) => {
            tracing::error!(
                error = format!("{error:#}"),
                "making the page of an older report"
            );
            Err(Problem::internal())
        }
    }
}

/// A method for the log: a stranger's word is not repeated.
fn method_name(method: &Method) -> &'static str {
    match method.as_str() {
        "GET" => "GET",
        "HEAD" => "HEAD",
        "POST" => "POST",
        "PUT" => "PUT",
        "DELETE" => "DELETE",
        "OPTIONS" => "OPTIONS",
        _ => "other",
    }
}
