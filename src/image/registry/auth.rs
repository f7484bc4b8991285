//! Tokens: what a registry's challenge is answered with. Distribution specification, "Token
//! Authentication"; the refresh form is OAuth 2's.

use super::challenge::Challenge;
use super::error::{Answer, Error, NO_CREDENTIALS};
use super::request::{Request, redact};
use super::session::Actions;
use super::transport::Transport;
use crate::kernel::TracedHost;
use crate::trace::{Note, facts};
use crate::wire::Credentials;
use base64::prelude::{BASE64_STANDARD, Engine};
use reqwest::Url;
use serde::Deserialize;
use std::collections::HashMap;
use std::fmt;
use std::sync::Mutex;
use std::time::{Duration, Instant};

/// Most bytes of a token document.
const TOKEN_LIMIT: usize = 1 << 20;
/// What a token lives that does not say how long.
const DEFAULT_LIFE: u64 = 60;
/// A token this near its end is not used any more.
const MARGIN: Duration = Duration::from_secs(10);

/// Tokens in hand, by realm, service, scope and user.
#[derive(Default)]
pub(super) struct Tokens(Mutex<HashMap<[String; 4], Token>>);

struct Token {
    value: String,
    dies: Instant,
}

impl fmt::Debug for Tokens {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Tokens(***)")
    }
}

#[derive(Deserialize)]
struct TokenDocument {
    #[serde(alias = "access_token", default)]
    token: String,
    expires_in: Option<u64>,
}

impl Tokens {
    fn get(&self, key: &[String; 4]) -> Option<String> {
        let tokens = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        tokens.get(key).filter(|token| token.dies > Instant::now() + MARGIN).map(|token| token.value.clone())
    }

    fn put(&self, key: [String; 4], document: &TokenDocument) {
        let life = Duration::from_secs(document.expires_in.unwrap_or(DEFAULT_LIFE));
        let token = Token { value: document.token.clone(), dies: Instant::now() + life };
        let mut tokens = self.0.lock().unwrap_or_else(|poison| poison.into_inner());
        tokens.retain(|_, token| token.dies > Instant::now());
        tokens.insert(key, token);
    }

    fn forget(&self, key: &[String; 4]) {
        self.0.lock().unwrap_or_else(|poison| poison.into_inner()).remove(key);
    }
}

/// Answers challenges for one repository and one user.
pub(super) struct Authorizer<'a> {
    pub transport: &'a Transport,
    pub tokens: &'a Tokens,
    pub credentials: &'a Credentials,
    pub repository: &'a str,
    /// What for.
    pub actions: Actions,
    /// The challenge came although a token was sent: that token is of no use.
    pub refused: bool,
}

impl Authorizer<'_> {
    /// The `Authorization` header that satisfies one of the challenges.
    pub async fn answer(
        &self,
        door: &TracedHost,
        challenges: &[Challenge],
        host: &str,
    ) -> Result<String, Error> {
        let of = |scheme: &str| challenges.iter().find(|challenge| challenge.scheme == scheme);
        if let Some(challenge) = of("bearer") {
            return Ok(format!("Bearer {}", self.bearer(door, challenge).await?));
        }
        if let Some(challenge) = of("basic") {
            let realm = challenge.get("realm").unwrap_or_default();
            door.note(
                Note::Challenge,
                facts([("scheme", &"basic"), ("realm", &realm), ("service", &host), ("scope", &"")]),
            );
            return self.basic().ok_or_else(|| refusal(NO_CREDENTIALS, host));
        }
        Err(refusal("authentication required", host))
    }

    fn basic(&self) -> Option<String> {
        let Credentials::Basic { user, password } = self.credentials else { return None };
        Some(format!("Basic {}", BASE64_STANDARD.encode(format!("{user}:{password}"))))
    }

    async fn bearer(&self, door: &TracedHost, challenge: &Challenge) -> Result<String, Error> {
        let service = challenge.get("service").unwrap_or_default();
        let own = match self.actions {
            Actions::Pull => format!("repository:{}:pull", self.repository),
            Actions::Push => format!("repository:{}:pull,push", self.repository),
            Actions::Login => String::new(),
        };
        let scope = challenge.get("scope").unwrap_or(&own);
        let realm = challenge.get("realm").unwrap_or_default();
        door.note(
            Note::Challenge,
            facts([("scheme", &"bearer"), ("realm", &realm), ("service", &service), ("scope", &scope)]),
        );
        if let Credentials::RegistryToken(token) = self.credentials {
            return Ok(token.clone());
        }
        let key = [realm, service, scope, self.credentials.user()].map(str::to_owned);
        if self.refused {
            self.tokens.forget(&key);
        } else if let Some(token) = self.tokens.get(&key) {
            return Ok(token);
        }
        let url = Url::parse(realm).map_err(|_| Error::Unexpected {
            from: self.repository.to_owned(),
            expected: "a url as the realm of the challenge",
            reason: format!("{realm:?}"),
        })?;
        let request = self.token_request(url, service, scope);
        let document = self.fetch(door, &request).await?;
        let token = document.token.clone();
        self.tokens.put(key, &document);
        Ok(token)
    }

    fn token_request(&self, mut url: Url, service: &str, scope: &str) -> Request {
        if let Credentials::IdentityToken(refresh) = self.credentials {
            let mut form = Url::parse("form:").expect("a constant url");
            form.query_pairs_mut()
                .append_pair("grant_type", "refresh_token")
                .append_pair("service", service)
                .append_pair("client_id", "learn")
                .append_pair("scope", scope)
                .append_pair("refresh_token", refresh);
            let mut request = Request::new("POST", url);
            request.form = form.query().map(|text| text.to_owned().into());
            return request;
        }
        {
            let mut pairs = url.query_pairs_mut();
            if !service.is_empty() {
                pairs.append_pair("service", service);
            }
            if !scope.is_empty() {
                pairs.append_pair("scope", scope);
            }
            if self.actions == Actions::Login {
                pairs.append_pair("client_id", "learn").append_pair("offline_token", "true");
            }
            if let Credentials::Basic { user, .. } = self.credentials {
                pairs.append_pair("account", user);
            }
        }
        let mut request = Request::new("GET", url);
        request.authorization = self.basic();
        request
    }

    async fn fetch(&self, door: &TracedHost, request: &Request) -> Result<TokenDocument, Error> {
        let response = self.transport.send(door, request).await?;
        if response.status != 200 {
            return Err(Error::from_answer(response, &request.url).await);
        }
        let bytes = super::session::read_body(response, TOKEN_LIMIT, &request.url).await?;
        let unexpected = |reason: String| Error::Unexpected {
            from: redact(&request.url),
            expected: "a json object with token or access_token",
            reason,
        };
        // The parser's word never quotes the document, which holds the secret.
        let document: TokenDocument = serde_json::from_slice(&bytes)
            .map_err(|error| unexpected(format!("line {} column {}", error.line(), error.column())))?;
        if document.token.is_empty() {
            return Err(unexpected("neither".into()));
        }
        Ok(document)
    }
}

fn refusal(message: &str, host: &str) -> Error {
    let (code, message) = ("unauthorized".to_owned(), message.to_owned());
    Error::Answer(Answer { status: 401, code, message, url: host.to_owned() })
}
