//! One request, in two shapes: as it is sent, and as it may be shown.

use crate::kernel::Payload;
use crate::op::HttpOp;
use bytes::Bytes;
use reqwest::Url;

/// Query parameters that are no secret; the values of all others print as `***`.
const OPEN_PARAMETERS: [&str; 12] = [
    "account",
    "client_id",
    "digest",
    "from",
    "last",
    "mount",
    "n",
    "ns",
    "offline_token",
    "q",
    "scope",
    "service",
];

/// A request to be sent.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub method: &'static str,
    pub url: Url,
    pub headers: Vec<(&'static str, String)>,
    /// `Authorization`; it never follows a redirect to another host.
    pub authorization: Option<String>,
    /// Form fields of a `POST`.
    pub form: Option<Bytes>,
    /// A small body, with its media type.
    pub document: Option<(String, Bytes)>,
    /// A connection that cannot be made is reported at once: the first request to a host tells
    /// whether it is there.
    pub impatient: bool,
}

impl Request {
    /// A request without a body.
    pub fn new(method: &'static str, url: Url) -> Request {
        Request {
            method,
            url,
            headers: Vec::new(),
            authorization: None,
            form: None,
            document: None,
            impatient: false,
        }
    }

    /// Adds a header.
    pub fn header(mut self, name: &'static str, value: impl Into<String>) -> Request {
        self.headers.push((name, value.into()));
        self
    }

    /// The same request to where the server points; to another host without the credentials.
    pub fn redirected(&self, to: Url) -> Request {
        let stays = self.url.host_str() == to.host_str()
            && self.url.port_or_known_default() == to.port_or_known_default()
            && self.url.scheme() == to.scheme();
        let authorization = self.authorization.clone().filter(|_| stays);
        Request { url: to, authorization, ..self.clone() }
    }

    /// What may be shown, and what is sent.
    pub fn split(&self) -> (HttpOp, Payload) {
        let mut sent: Vec<(String, String)> =
            self.headers.iter().map(|(name, value)| ((*name).to_owned(), value.clone())).collect();
        let mut shown = sent.clone();
        if let Some(authorization) = &self.authorization {
            let scheme = authorization.split(' ').next().unwrap_or_default();
            shown.push(("Authorization".into(), format!("{scheme} ***")));
            sent.push(("Authorization".into(), authorization.clone()));
        }
        if self.form.is_some() {
            let kind = ("Content-Type".to_owned(), "application/x-www-form-urlencoded".to_owned());
            shown.push(kind.clone());
            sent.push(kind);
        }
        if let Some((kind, _)) = &self.document {
            let kind = ("Content-Type".to_owned(), kind.clone());
            shown.push(kind.clone());
            sent.push(kind);
        }
        let body = self.form.clone().or_else(|| self.document.as_ref().map(|(_, bytes)| bytes.clone()));
        let op = HttpOp::Request { method: self.method.into(), url: redact(&self.url), headers: shown };
        let payload = Payload::Request { url: self.url.to_string(), headers: sent, body };
        (op, payload)
    }
}

/// A URL without its secrets: no password, and `***` for what signs a download.
pub(super) fn redact(url: &Url) -> String {
    let mut shown = url.clone();
    let _ = shown.set_password(None);
    let _ = shown.set_username("");
    shown.set_query(None);
    let pairs: Vec<String> = url
        .query()
        .unwrap_or_default()
        .split('&')
        .filter(|pair| !pair.is_empty())
        .map(|pair| match pair.split_once('=') {
            Some((name, _)) if !OPEN_PARAMETERS.contains(&name) => format!("{name}=***"),
            _ => pair.to_owned(),
        })
        .collect();
    if pairs.is_empty() { shown.to_string() } else { format!("{shown}?{}", pairs.join("&")) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn url(text: &str) -> Url {
        Url::parse(text).expect(text)
    }

    #[test]
    fn what_signs_a_download_is_not_shown() {
        let signed = url("https://me:pw@cdn.example/blob?X-Sig=abc&scope=repository:a:pull");
        assert_eq!(redact(&signed), "https://cdn.example/blob?X-Sig=***&scope=repository:a:pull");
    }

    #[test]
    fn credentials_stay_with_their_host() {
        let mut request = Request::new("GET", url("https://registry.example/v2/"));
        request.authorization = Some("Bearer secret".into());
        assert!(request.redirected(url("https://registry.example/other")).authorization.is_some());
        for elsewhere in
            ["https://cdn.example/x", "https://registry.example:444/x", "http://registry.example/x"]
        {
            assert!(request.redirected(url(elsewhere)).authorization.is_none(), "{elsewhere}");
        }
        let (op, _) = request.split();
        assert!(!format!("{op:?}").contains("secret"));
    }
}
