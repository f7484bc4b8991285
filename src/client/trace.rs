//! Trace sessions: `learn`'s own endpoints, beside Docker's and without a version prefix.

use super::connection::Request;
use super::query::segment;
use super::{Client, Error, JsonLines};
use crate::trace::{Decision, Record, Sighting, Stop, TraceInfo};
use crate::wire::session::{Decide, NewTrace, TRACE_HEADER, TraceCreated};
use hyper::Method;

impl Client {
    /// `POST /learn/traces`: a session whose work stops where `stop` says. Its id.
    ///
    /// # Errors
    /// When no daemon answers, or it is not `learn`'s.
    pub async fn open_trace(&self, title: &str, stop: Stop) -> Result<String, Error> {
        let body = NewTrace { title: title.to_owned(), stop, follow: false };
        let request = Request::new(Method::POST, "/learn/traces".to_owned()).json(&body)?;
        let TraceCreated { id } = self.raw(request).await?.json().await?;
        Ok(id)
    }

    /// `POST /learn/traces`: the same, and its records, as one request.
    ///
    /// # Errors
    /// When no daemon answers, or it is not `learn`'s.
    pub async fn follow_trace(&self, title: &str, stop: Stop) -> Result<(String, JsonLines<Record>), Error> {
        let body = NewTrace { title: title.to_owned(), stop, follow: true };
        let request = Request::new(Method::POST, "/learn/traces".to_owned()).json(&body)?;
        let response = self.raw(request).await?;
        let id = response.headers().get(TRACE_HEADER).and_then(|id| id.to_str().ok()).map(str::to_owned);
        let id = id.ok_or_else(|| Error::Stream {
            message: "the daemon opened no trace session".to_owned(),
            hint: None,
        })?;
        Ok((id, response.lines()))
    }

    /// `GET /learn/traces/{id}/records`: every record of a live session, from the first on.
    ///
    /// # Errors
    /// 404 when there is no such session.
    pub async fn trace_records(&self, id: &str) -> Result<JsonLines<Record>, Error> {
        Ok(self.raw(Request::new(Method::GET, path(id, "/records"))).await?.lines())
    }

    /// `POST /learn/traces/{id}/decision`: what the learner says at the gate.
    ///
    /// # Errors
    /// 404 when there is no such session.
    pub async fn decide(&self, id: &str, decision: Decision) -> Result<(), Error> {
        let request = Request::new(Method::POST, path(id, "/decision")).json(&Decide { decision })?;
        self.raw(request).await?.finish().await
    }

    /// `POST /learn/traces/{id}/close`: stepping ends, followers read to the end.
    ///
    /// # Errors
    /// 404 when there is no such session.
    pub async fn close_trace(&self, id: &str) -> Result<(), Error> {
        self.raw(Request::new(Method::POST, path(id, "/close"))).await?.finish().await
    }

    /// `GET /learn/traces`: newest first.
    ///
    /// # Errors
    /// When no daemon answers.
    pub async fn list_traces(&self) -> Result<Vec<TraceInfo>, Error> {
        self.raw(Request::new(Method::GET, "/learn/traces".to_owned())).await?.json().await
    }

    /// `GET /learn/traces/{id|prefix|last}`: a kept trace, whole.
    ///
    /// # Errors
    /// 404 when there is no such trace, 409 when a prefix fits several.
    pub async fn fetch_trace(&self, id: &str) -> Result<(TraceInfo, Vec<Record>), Error> {
        let mut lines: JsonLines<Box<serde_json::value::RawValue>> =
            self.raw(Request::new(Method::GET, path(id, ""))).await?.lines();
        let malformed = |source| Error::Malformed { asked: format!("GET {}", path(id, "")), source };
        let empty = || Error::Stream { message: format!("trace {id} is empty"), hint: None };
        let head = lines.next_line().await?.ok_or_else(empty)?;
        let info = serde_json::from_str(head.get()).map_err(malformed)?;
        let mut records = Vec::new();
        while let Some(line) = lines.next_line().await? {
            records.push(serde_json::from_str(line.get()).map_err(malformed)?);
        }
        Ok((info, records))
    }

    /// `GET /learn/watch`: every record of every trace, from now on.
    ///
    /// # Errors
    /// When no daemon answers.
    pub async fn watch(&self) -> Result<JsonLines<Sighting>, Error> {
        Ok(self.raw(Request::new(Method::GET, "/learn/watch".to_owned())).await?.lines())
    }
}

fn path(id: &str, tail: &str) -> String {
    format!("/learn/traces/{}{tail}", segment(id))
}
