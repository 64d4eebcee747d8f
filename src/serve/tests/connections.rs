//! Slow, many, and interrupted connections.

use super::*;

async fn with_limits(site: &Site, change: impl FnOnce(&mut ServeLimits)) -> Running {
    let mut config = ServeConfig::new(basic_auth());
    change(&mut config.limits);
    Running::start(config, site.sources()).await
}

/// Reads until the peer ends the connection, by whatever means.
async fn read_until_end(stream: &mut TcpStream) -> Vec<u8> {
    let mut bytes = Vec::new();
    let read = tokio::time::timeout(Duration::from_secs(20), stream.read_to_end(&mut bytes));
    // A reset is an end too.
    let _ = read.await.expect("the connection ends");
    bytes
}

#[tokio::test]
async fn a_head_that_never_ends_is_cut_at_its_time_out() {
    let site = Site::published();
    let server = with_limits(&site, |limits| {
        limits.head_timeout = Duration::from_millis(50)
    })
    .await;
    for begun in [
        "",
        "GET /over",
        "GET /overview HTTP/1.1\r\nHost: a\r\nX-Slow: ",
    ] {
        let mut stream = server.connect().await;
        stream.write_all(begun.as_bytes()).await.unwrap();
        let bytes = read_until_end(&mut stream).await;
        assert!(!bytes.starts_with(b"HTTP/1.1 200"), "{begun:?}");
    }
}

#[tokio::test]
async fn a_reader_that_takes_nothing_is_cut_at_its_time_out() {
    let site = Site::empty();
    let large = vec![b'x'; 32 * 1024 * 1024];
    site.publish(1, &[("site/overview.html", &large)]);
    let server = with_limits(&site, |limits| {
        limits.write_timeout = Duration::from_millis(100)
    })
    .await;
    let mut stream = server.connect().await;
    let request = format!("GET /overview HTTP/1.1\r\nHost: a\r\n{}\r\n", login());
    stream.write_all(request.as_bytes()).await.unwrap();
    // A stop ends when the connection does: long before the deadline, because the reader was given up.
    let mut first = [0_u8; 1];
    stream.read_exact(&mut first).await.unwrap();
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(4), server.task)
        .await
        .expect("cut before the deadline")
        .unwrap();
    assert!(read_until_end(&mut stream).await.len() < large.len());
}

#[tokio::test]
async fn connections_over_the_limit_are_told_to_come_back() {
    let site = Site::published();
    let server = with_limits(&site, |limits| limits.connections = 1).await;
    let mut first = server.connect().await;
    let request = format!("GET /overview HTTP/1.1\r\nHost: a\r\n{}\r\n", login());
    first.write_all(request.as_bytes()).await.unwrap();
    let mut start = [0_u8; 15];
    first.read_exact(&mut start).await.unwrap();
    let refused = server.get("/overview").await;
    assert_eq!(
        (refused.status, refused.header("retry-after")),
        (503, Some("5"))
    );
    assert_eq!(
        refused.header("content-length"),
        Some(refused.body.len().to_string().as_str())
    );
    // The place is free again once the first one is gone.
    first.shutdown().await.unwrap();
    read_until_end(&mut first).await;
    let mut status = 503;
    while status == 503 {
        status = server.get("/overview").await.status;
    }
    assert_eq!(status, 200);
}

#[tokio::test]
async fn a_stop_lets_a_request_in_flight_end_and_takes_no_new_one() {
    let site = Site::published();
    let (entered, inside) = std::sync::mpsc::channel();
    let (release, wait) = std::sync::mpsc::channel::<()>();
    let wait = std::sync::Mutex::new(wait);
    let mut sources = site.sources();
    sources.older_report = Arc::new(move |_, _, _| {
        entered.send(()).unwrap();
        wait.lock().unwrap().recv().unwrap();
        Ok(Some(b"finished".to_vec()))
    });
    let server = Running::start(ServeConfig::new(basic_auth()), sources).await;
    let mut idle = server.connect().await;
    let mut busy = server.connect().await;
    let request = format!(
        "GET /reports/{OLDER} HTTP/1.1\r\nHost: a\r\n{}\r\n",
        login()
    );
    busy.write_all(request.as_bytes()).await.unwrap();
    tokio::task::spawn_blocking(move || inside.recv().unwrap())
        .await
        .unwrap();
    server.stop.send(()).unwrap();
    assert!(
        read_until_end(&mut idle).await.is_empty(),
        "idle connections end at once"
    );
    assert!(
        TcpStream::connect(server.address).await.is_err(),
        "nobody listens any more"
    );
    release.send(()).unwrap();
    let reply = read_reply(&mut busy).await;
    assert_eq!((reply.status, reply.text()), (200, "finished"));
    server.task.await.unwrap();
}

#[tokio::test]
async fn a_stop_does_not_wait_for_ever() {
    let site = Site::published();
    let server = with_limits(&site, |limits| {
        limits.stop_deadline = Duration::from_millis(50)
    })
    .await;
    let mut stream = server.connect().await;
    stream
        .write_all(b"GET /overview HTTP/1.1\r\n")
        .await
        .unwrap();
    // The half request has arrived when a whole one behind it was answered.
    assert_eq!(server.get("/overview").await.status, 200);
    server.stop.send(()).unwrap();
    tokio::time::timeout(Duration::from_secs(10), server.task)
        .await
        .expect("the deadline ends it")
        .unwrap();
    assert!(read_until_end(&mut stream).await.is_empty());
}
