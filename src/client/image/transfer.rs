//! Images on the move: to and from files and registries.

use super::super::connection::{Request, Upload};
use super::super::query::{Query, segment};
use super::super::stream::Bytes as RawBytes;
use super::super::{Client, Error, JsonLines};
use crate::client::query::Filters;
use crate::wire::{AuthAnswer, AuthRequest, Credentials, JsonMessage, SearchResult};
use hyper::Method;

/// What to make of a tar of files.
#[derive(Clone, Debug, Default)]
pub struct Import<'a> {
    /// Name with tag; without one the image has none.
    pub name: Option<&'a str>,
    /// `-` for the body, or a URL for the daemon to fetch.
    pub source: &'a str,
    /// What the history says.
    pub message: Option<&'a str>,
    /// Dockerfile instructions.
    pub changes: &'a [String],
    /// `linux/arm64`.
    pub platform: Option<&'a str>,
}

impl Client {
    /// `GET /images/get`: one archive of all these images.
    ///
    /// # Errors
    /// 404 when one of them is not there.
    pub async fn save_images(&self, names: &[String]) -> Result<RawBytes, Error> {
        let names: Vec<String> =
            names.iter().map(|name| Query::default().opt("names", Some(name)).onto("")).collect();
        let query = names.iter().map(|name| name.trim_start_matches('?')).collect::<Vec<_>>().join("&");
        let request = Request::new(Method::GET, format!("/images/get?{query}"));
        Ok(self.send(request).await?.into_bytes())
    }

    /// `POST /images/load`: progress, line by line.
    ///
    /// # Errors
    /// When the daemon cannot be reached; what is wrong with the archive is among the lines.
    pub async fn load_images(
        &self,
        archive: Upload,
        quiet: bool,
        platform: Option<&str>,
    ) -> Result<JsonLines<JsonMessage>, Error> {
        let query = Query::default().opt("quiet", Some(u8::from(quiet))).opt("platform", platform);
        let request = Request::new(Method::POST, query.onto("/images/load"));
        Ok(self.send(request.upload("application/x-tar", archive)).await?.lines())
    }

    /// `POST /images/create?fromSrc=…`: the last line is the image's id.
    ///
    /// # Errors
    /// 400 for a change that makes no sense, 500 for what is no tar.
    pub async fn import_image(
        &self,
        import: &Import<'_>,
        tar: Option<Upload>,
    ) -> Result<JsonLines<JsonMessage>, Error> {
        let changes =
            import.changes.iter().map(|change| Query::default().opt("changes", Some(change)).onto(""));
        let changes: String = changes.map(|change| change.replacen('?', "&", 1)).collect();
        let query = Query::default()
            .opt("fromSrc", Some(import.source))
            .opt("message", import.message)
            .opt("platform", import.platform)
            .opt("repo", import.name);
        let path = query.onto("/images/create") + &changes;
        let request = Request::new(Method::POST, path);
        let request = match tar {
            Some(tar) => request.upload("text/plain", tar),
            None => request,
        };
        Ok(self.send(request).await?.lines())
    }

    /// `POST /images/{name}/push`; without a tag all tags.
    ///
    /// # Errors
    /// When the daemon cannot be reached; the registry's refusal is among the lines.
    pub async fn push_image(
        &self,
        name: &str,
        tag: Option<&str>,
        credentials: &Credentials,
    ) -> Result<JsonLines<JsonMessage>, Error> {
        let path = Query::default().opt("tag", tag).onto(&format!("/images/{}/push", segment(name)));
        let request = Request::new(Method::POST, path).header("x-registry-auth", &credentials.to_header());
        Ok(self.send(request).await?.lines())
    }

    /// `POST /auth`.
    ///
    /// # Errors
    /// 401 or 500 when the registry does not take the credentials.
    pub async fn authenticate(&self, asked: &AuthRequest) -> Result<AuthAnswer, Error> {
        self.post("/auth", &Query::default(), asked).await
    }

    /// `GET /images/search`.
    ///
    /// # Errors
    /// 500 when Docker Hub cannot be reached.
    pub async fn search_images(
        &self,
        term: &str,
        limit: Option<i64>,
        filters: &Filters,
    ) -> Result<Vec<SearchResult>, Error> {
        let query = Query::default().opt("term", Some(term)).opt("limit", limit).filters(filters);
        let request =
            Request::new(Method::GET, query.onto("/images/search")).header("x-registry-auth", "e30=");
        self.send(request).await?.json().await
    }
}
