//! Hotword lists.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use hyper::Method;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use ting_protocol::{
    CreatedVocabulary, VocabularyDetails, VocabularyEntry, VocabularyList, VocabularyRequest,
    VocabularyWord,
};

use crate::builder::check_time;
use crate::error::{Error, ErrorKind};
use crate::http::{Ask, Http, Reply};
use crate::net::Url;
use crate::runtime;
use crate::settings::{DEFAULT_HTTP_URL, Settings};
use crate::target::Target;

/// Manages hotword lists: words that recognition is to prefer, under an id for
/// [`RecognitionBuilder::vocabulary_id`](crate::RecognitionBuilder::vocabulary_id).
///
/// Errors carry the server's [`code`](Error::code), [`message`](Error::message), [`status`](Error::status) and
/// [`request_id`](Error::request_id). A connection that fails is tried three times.
///
/// ```no_run
/// # async fn f() -> Result<(), ting_client::Error> {
/// use ting_client::{VocabularyService, VocabularyWord};
///
/// let service = VocabularyService::builder().endpoint("http://127.0.0.1:8000/api/v1").build()?;
/// let words = vec![VocabularyWord { text: "赛德克巴莱".to_owned(), weight: 4, lang: Some("zh".to_owned()) }];
/// let id = service.create("fun-asr-realtime", "films", words).await?;
/// for list in service.list(Some("films"), 0, 10).await? {
///     println!("{} of {}", list.vocabulary_id, list.gmt_create);
/// }
/// service.delete(&id).await?;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
pub struct VocabularyService {
    http: Http,
    last_request_id: Arc<Mutex<Option<String>>>,
}

/// Builds a [`VocabularyService`].
#[derive(Clone, Debug)]
#[must_use]
pub struct VocabularyServiceBuilder {
    target: Target,
    request_timeout: Duration,
}

macro_rules! request_options {
    () => {
        /// The base URL of the requests, such as `http://127.0.0.1:8000/api/v1`, or `embedded` for the recogniser inside the
        /// program. If not set it is `DASHSCOPE_HTTP_BASE_URL`, and without that
        /// [`DEFAULT_HTTP_URL`](crate::DEFAULT_HTTP_URL).
        pub fn endpoint(mut self, endpoint: impl Into<String>) -> Self {
            self.target.endpoint = Some(endpoint.into());
            self
        }

        /// How long the answer to a request may take. 60 s if not set.
        pub fn request_timeout(mut self, timeout: std::time::Duration) -> Self {
            self.request_timeout = timeout;
            self
        }

        crate::target::target_options!();
    };
}
pub(crate) use request_options;

/// What the builders of requests do in common.
pub(crate) fn http(target: &Target, request_timeout: Duration) -> Result<Http, Error> {
    check_time("connect_timeout", target.connect_timeout)?;
    check_time("request_timeout", request_timeout)?;
    let settings = Settings::from_env();
    let url = |text: &str| Url::parse("endpoint", text, "http");
    let from_env = settings.http_url.as_deref();
    let (way, headers) = target.resolve(&settings, from_env, DEFAULT_HTTP_URL, url)?;
    Ok(Http {
        way,
        headers,
        timeout: request_timeout,
    })
}

/// How long an answer may take if the option is not set.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(60);

impl VocabularyServiceBuilder {
    request_options!();

    /// Makes the service, without connecting.
    ///
    /// # Errors
    /// `InvalidParameter` for an option that is out of its range, `Authentication` when the hosted service is to be used and
    /// there is no key.
    pub fn build(self) -> Result<VocabularyService, Error> {
        Ok(VocabularyService {
            http: http(&self.target, self.request_timeout)?,
            last_request_id: Arc::default(),
        })
    }

    /// The same for programs without `async`.
    ///
    /// # Errors
    /// As [`build`](Self::build).
    pub fn build_blocking(self) -> Result<crate::blocking::VocabularyService, Error> {
        self.build().map(crate::blocking::VocabularyService::new)
    }
}

impl VocabularyService {
    /// Begins to build a service.
    pub fn builder() -> VocabularyServiceBuilder {
        VocabularyServiceBuilder {
            target: Target::default(),
            request_timeout: REQUEST_TIMEOUT,
        }
    }

    /// Makes a list for `target_model` and returns its id, which begins with `vocab-` and `prefix` (1 to 10 of `a` to `z` and
    /// `0` to `9`).
    ///
    /// # Errors
    /// Those of the connection, and what the server refuses: see the kinds `Request` and `Authentication`.
    pub async fn create(
        &self,
        target_model: impl Into<String>,
        prefix: impl Into<String>,
        vocabulary: Vec<VocabularyWord>,
    ) -> Result<String, Error> {
        let request = VocabularyRequest::Create {
            target_model: target_model.into(),
            prefix: prefix.into(),
            vocabulary,
        };
        let created: CreatedVocabulary = self.ask(request).await?;
        Ok(created.vocabulary_id)
    }

    /// The lists, of `prefix` only if there is one; `page_index` counts from 0, and a page has `page_size` lists.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn list(
        &self,
        prefix: Option<&str>,
        page_index: u32,
        page_size: u32,
    ) -> Result<Vec<VocabularyEntry>, Error> {
        let request = VocabularyRequest::List {
            prefix: prefix.map(str::to_owned),
            page_index,
            page_size,
        };
        let list: VocabularyList = self.ask(request).await?;
        Ok(list.vocabulary_list)
    }

    /// The words of a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn query(&self, vocabulary_id: &str) -> Result<VocabularyDetails, Error> {
        let vocabulary_id = vocabulary_id.to_owned();
        self.ask(VocabularyRequest::Query { vocabulary_id }).await
    }

    /// Puts other words in place of all those of a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn update(
        &self,
        vocabulary_id: &str,
        vocabulary: Vec<VocabularyWord>,
    ) -> Result<(), Error> {
        let request = VocabularyRequest::Update {
            vocabulary_id: vocabulary_id.to_owned(),
            vocabulary,
        };
        self.send(request_body(&request), true).await.map(drop)
    }

    /// Deletes a list.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn delete(&self, vocabulary_id: &str) -> Result<(), Error> {
        let vocabulary_id = vocabulary_id.to_owned();
        let request = VocabularyRequest::Delete { vocabulary_id };
        // Whether a second one works does not depend on the first alone.
        self.send(request_body(&request), false).await.map(drop)
    }

    /// Sends a request as it is given: `input` of the body, with `action` and what belongs to it. Returns `output` of the
    /// answer as it came. For what the methods above have no form for.
    ///
    /// # Errors
    /// As [`create`](Self::create).
    pub async fn request(&self, input: Value) -> Result<Value, Error> {
        let action = input.get("action").and_then(Value::as_str);
        let is_repeatable = action.is_some_and(|action| {
            ["list_vocabulary", "query_vocabulary", "update_vocabulary"].contains(&action)
        });
        let body = json!({ "model": "speech-biasing", "parameters": {}, "input": input });
        let reply = self.send(body, is_repeatable).await?;
        Ok(reply.output().clone())
    }

    /// The server's id of the last request that it did. `None` before the first.
    pub fn last_request_id(&self) -> Option<String> {
        let id = self.last_request_id.lock();
        id.unwrap_or_else(PoisonError::into_inner).clone()
    }

    async fn ask<T: DeserializeOwned>(&self, request: VocabularyRequest) -> Result<T, Error> {
        let is_repeatable = !matches!(request, VocabularyRequest::Create { .. });
        let reply = self.send(request_body(&request), is_repeatable).await?;
        serde_json::from_value(reply.output().clone()).map_err(|error| {
            let action = request.action();
            let message = format!("the answer to {action} is not as it should be: {error}");
            Error::new(ErrorKind::Protocol, message).with_request_id(reply.request_id())
        })
    }

    async fn send(&self, body: Value, is_repeatable: bool) -> Result<Reply, Error> {
        let ask = Ask {
            method: Method::POST,
            path: "/services/audio/asr/customization".to_owned(),
            headers: &[],
            body: Some(body),
            is_repeatable,
        };
        let http = self.http.clone();
        let reply = runtime::run(runtime::current()?, async move { http.ask(ask).await }).await?;
        let mut last = self
            .last_request_id
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        *last = reply.request_id();
        drop(last);
        Ok(reply)
    }
}

/// The body as JSON. What a request writes of itself can be read again.
fn request_body(request: &VocabularyRequest) -> Value {
    serde_json::from_str(&request.to_json()).unwrap_or_default()
}
