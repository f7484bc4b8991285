//! Redirects, retries and patience: what lies between one request meant and several sent.

use super::error::{Error, describe};
use super::request::{Request, redact};
use crate::kernel::{OpError, Response, TracedHost, Value};
use crate::trace::{Note, facts};
use rand::RngExt;
use std::time::{Duration, SystemTime};

/// Redirects followed for one request.
const MOST_REDIRECTS: usize = 10;

/// How often and how patiently something is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Retry {
    /// Tries in all; Docker's `max-download-attempts` is 5.
    pub attempts: u32,
    /// Pause before the second try; it doubles from there, and up to half of it is chance.
    pub base: Duration,
    /// Longest `Retry-After` that is waited for; beyond it the refusal is handed on.
    pub longest: Duration,
}

impl Default for Retry {
    fn default() -> Self {
        Retry { attempts: 5, base: Duration::from_millis(500), longest: Duration::from_secs(60) }
    }
}

impl Retry {
    /// The pause before try number `attempt + 1`. Chance keeps many clients from coming back all
    /// at the same moment.
    pub(in crate::image) fn delay(&self, attempt: u32) -> Duration {
        let whole = self.base.saturating_mul(1 << (attempt - 1).min(6)).min(self.longest);
        whole.mul_f64(rand::rng().random_range(0.5..=1.0))
    }
}

/// Sends requests.
#[derive(Debug)]
pub(super) struct Transport {
    pub retry: Retry,
}

impl Transport {
    pub fn new(retry: Retry) -> Transport {
        Transport { retry }
    }

    /// Sends a request until it is answered with something worth handing on: not a redirect, and
    /// neither 429 nor 5xx as long as patience lasts.
    pub async fn send(&self, door: &TracedHost, request: &Request) -> Result<Response, Error> {
        let mut attempt = 1;
        loop {
            let result = self.follow(door, request).await;
            let Some((reason, delay)) = self.again(request, &result, attempt) else { return result };
            door.note(
                Note::Retried,
                facts([("attempt", &(attempt + 1)), ("reason", &reason), ("delay", &show(delay))]),
            );
            tokio::time::sleep(delay).await;
            attempt += 1;
        }
    }

    /// Sends a request and goes where it is sent to.
    pub async fn follow(&self, door: &TracedHost, request: &Request) -> Result<Response, Error> {
        let mut request = request.clone();
        for _ in 0..MOST_REDIRECTS {
            let response = self.exchange(door, &request).await?;
            let Some(location) = location(&response) else { return Ok(response) };
            let target = request.url.join(location).map_err(|_| Error::Unexpected {
                from: redact(&request.url),
                expected: "a url in the Location header",
                reason: format!("{location:?}"),
            })?;
            let next = request.redirected(target);
            let host = next.url.host_str().unwrap_or_default().to_owned();
            let host = next.url.port().map_or(host.clone(), |port| format!("{host}:{port}"));
            let kept =
                if request.authorization.is_some() && next.authorization.is_none() { "no" } else { "yes" };
            door.note(Note::Redirected, facts([("host", &host), ("credentials", &kept)]));
            request = next;
        }
        Err(Error::Unexpected {
            from: redact(&request.url),
            expected: "an end of redirects",
            reason: format!("{MOST_REDIRECTS} of them"),
        })
    }

    /// Sends one request once.
    pub async fn exchange(&self, door: &TracedHost, request: &Request) -> Result<Response, OpError> {
        let (op, payload) = request.split();
        let outcome = door.perform_with(op, payload).await?;
        let Value::Response(response) = outcome.value else { unreachable!("http.request gives a response") };
        note_limit(door, &response);
        Ok(response)
    }

    /// Why and when to try again, if at all.
    fn again(
        &self,
        request: &Request,
        result: &Result<Response, Error>,
        attempt: u32,
    ) -> Option<(String, Duration)> {
        if attempt >= self.retry.attempts {
            return None;
        }
        match result {
            Ok(response) if response.status == 429 || response.status >= 500 => {
                let asked = response.header("retry-after").and_then(read_retry_after);
                let delay = asked.unwrap_or_else(|| self.retry.delay(attempt));
                (delay <= self.retry.longest).then(|| (describe(response.status), delay))
            }
            Err(error) if error.is_transient() && !request.impatient => {
                Some((error.to_string(), self.retry.delay(attempt)))
            }
            _ => None,
        }
    }
}

fn location(response: &Response) -> Option<&str> {
    matches!(response.status, 301 | 302 | 303 | 307 | 308).then(|| response.header("location"))?
}

/// Seconds, or a date: RFC 9110, section 10.2.3.
fn read_retry_after(value: &str) -> Option<Duration> {
    if let Ok(seconds) = value.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let at = jiff::fmt::rfc2822::parse(value.trim()).ok()?.timestamp();
    Some(SystemTime::from(at).duration_since(SystemTime::now()).unwrap_or_default())
}

/// Docker Hub: `ratelimit-limit: 100;w=21600`, `ratelimit-remaining: 97;w=21600`.
fn note_limit(door: &TracedHost, response: &Response) {
    let Some(limit) = response.header("ratelimit-limit") else { return };
    let count = |text: &str| text.split(';').next().unwrap_or_default().to_owned();
    let window = limit.split_once("w=").map_or("", |(_, seconds)| seconds);
    let remaining = response.header("ratelimit-remaining").map(count).unwrap_or_default();
    let reset = response.header("ratelimit-reset").unwrap_or(window);
    door.note(
        Note::RateLimit,
        facts([("limit", &count(limit)), ("remaining", &remaining), ("reset", &reset)]),
    );
}

/// `1.5 s`.
pub(super) fn show(delay: Duration) -> String {
    format!("{:.1} s", delay.as_secs_f64())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pauses_grow_and_stay_within_bounds() {
        let retry = Retry { base: Duration::from_secs(1), ..Retry::default() };
        for (attempt, whole) in [(1, 1.0), (2, 2.0), (3, 4.0), (20, 60.0)] {
            let delay = retry.delay(attempt).as_secs_f64();
            assert!((whole / 2.0..=whole).contains(&delay), "{attempt}: {delay}");
        }
    }

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        assert_eq!(read_retry_after("7"), Some(Duration::from_secs(7)));
        assert_eq!(read_retry_after("Wed, 21 Oct 2015 07:28:00 GMT"), Some(Duration::ZERO));
        assert_eq!(read_retry_after("soon"), None);
    }
}
