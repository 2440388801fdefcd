//! A client of the wire that keeps the time of everything.

use std::time::{Duration, Instant};

use futures_util::{SinkExt, StreamExt};
use ting_protocol::{AudioFormat, ClientMessage, Event, EventBody, Parameters, RunTask, Sentence};
use tokio::net::TcpStream;
use tokio::time::{sleep_until, timeout};
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::client::IntoClientRequest;
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, connect_async};

use super::audio::BYTES_PER_SECOND;
use crate::error::{CliError, CliErrorKind};

/// A server that says nothing for this long is taken for hung. Long enough for a burst of half an hour on a slow core.
const PATIENCE: Duration = Duration::from_secs(600);

/// Length of a paced frame, as the service's documentation advises.
const FRAME_MS: usize = 100;

/// Bytes of a frame that is not paced: what the Python SDK sends of a file.
const BURST_FRAME: usize = 12_800;

/// How fast audio is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pace {
    /// Frames of 100 ms, each at the moment its last sample would leave a microphone. The schedule is absolute: a late
    /// frame does not delay the next.
    RealTime,
    /// As fast as TCP takes it.
    Burst,
}

/// What happened in a task, and when.
#[derive(Clone, Debug)]
pub(crate) struct TaskRecord {
    /// When the first sample was spoken, by the schedule of [`Pace::RealTime`]; when sending began, for a burst.
    pub(crate) started: Instant,
    /// The first audio frame.
    pub(crate) first_sent: Instant,
    /// `finish-task`.
    pub(crate) finish_sent: Instant,
    /// `task-finished`.
    pub(crate) finished: Instant,
    /// All results, as they came.
    pub(crate) results: Vec<(Instant, Sentence)>,
}

impl TaskRecord {
    /// From the first audio frame to the first result with text, in seconds, as the SDK's `first_package_delay`.
    pub(crate) fn first_package_delay(&self) -> Option<f64> {
        let (at, _) = self
            .results
            .iter()
            .find(|(_, sentence)| !sentence.text.is_empty())?;
        Some(at.duration_since(self.first_sent).as_secs_f64())
    }

    /// From `finish-task` to `task-finished`, in seconds, as the SDK's `last_package_delay`.
    pub(crate) fn last_package_delay(&self) -> f64 {
        self.finished.duration_since(self.finish_sent).as_secs_f64()
    }

    /// For every partial that covers more audio than the ones before: its arrival minus the moment the last word in it
    /// was spoken, in seconds. Includes the time the audio waited for its 100 ms frame to fill.
    pub(crate) fn response_lags(&self) -> Vec<f64> {
        let mut covered = 0;
        let mut lags = Vec::new();
        for (at, sentence) in self
            .results
            .iter()
            .filter(|(_, sentence)| !sentence.sentence_end)
        {
            let Some(end) = sentence.words.last().and_then(|word| word.end_time) else {
                continue;
            };
            if end > covered {
                covered = end;
                lags.push(at.duration_since(self.started).as_secs_f64() - end as f64 / 1000.0);
            }
        }
        lags
    }

    /// The finals.
    pub(crate) fn finals(&self) -> impl Iterator<Item = &Sentence> {
        self.results
            .iter()
            .map(|(_, sentence)| sentence)
            .filter(|sentence| sentence.sentence_end)
    }
}

/// A connection. Tasks follow each other on it.
pub(crate) struct Client {
    socket: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Client {
    /// Connects to `url`.
    pub(crate) async fn connect(url: &str, api_key: Option<&str>) -> Result<Self, CliError> {
        let failed =
            |error: &dyn std::fmt::Display| network(format!("cannot connect to {url}: {error}"));
        let mut request = url.into_client_request().map_err(|error| failed(&error))?;
        let key = format!("Bearer {}", api_key.unwrap_or("none"));
        let key = HeaderValue::from_str(&key).map_err(|error| failed(&error))?;
        request.headers_mut().insert("Authorization", key);
        let (socket, _) = connect_async(request)
            .await
            .map_err(|error| failed(&error))?;
        Ok(Self { socket })
    }

    /// Sends `pcm` (16 kHz, 16-bit) as one task and waits for its end.
    ///
    /// # Errors
    /// `Network` when the connection breaks, the server says what is not of the protocol, or the task fails.
    pub(crate) async fn run_task(
        &mut self,
        pcm: &[u8],
        pace: Pace,
    ) -> Result<TaskRecord, CliError> {
        let task_id = uuid::Uuid::new_v4().simple().to_string();
        let run = ClientMessage::RunTask(Box::new(RunTask {
            task_id: task_id.clone(),
            model: "fun-asr-realtime".to_owned(),
            parameters: Parameters::new(AudioFormat::Pcm, ting_audio::SAMPLE_RATE),
            context: None,
            resources: Vec::new(),
        }));
        let (mut sink, mut stream) = (&mut self.socket).split();
        sink.send(Message::text(run.to_json()))
            .await
            .map_err(broken)?;
        match next_event(&mut stream, &task_id).await? {
            EventBody::TaskStarted => {}
            other => return Err(unexpected(&other)),
        }

        let started = Instant::now();
        let send = async {
            let mut first_sent = None;
            let size = if pace == Pace::RealTime {
                BYTES_PER_SECOND * FRAME_MS / 1000
            } else {
                BURST_FRAME
            };
            let mut due = started;
            for frame in pcm.chunks(size) {
                if pace == Pace::RealTime {
                    due += Duration::from_secs_f64(frame.len() as f64 / BYTES_PER_SECOND as f64);
                    sleep_until(due.into()).await;
                }
                first_sent.get_or_insert_with(Instant::now);
                sink.send(Message::binary(frame.to_vec()))
                    .await
                    .map_err(broken)?;
            }
            let finish = ClientMessage::FinishTask {
                task_id: task_id.clone(),
            };
            let finish_sent = Instant::now();
            sink.send(Message::text(finish.to_json()))
                .await
                .map_err(broken)?;
            Ok((first_sent.unwrap_or(finish_sent), finish_sent))
        };
        let receive = async {
            let mut results = Vec::new();
            loop {
                let event = next_event(&mut stream, &task_id).await?;
                let at = Instant::now();
                match event {
                    EventBody::ResultGenerated { sentence, .. } => {
                        if !sentence.heartbeat {
                            results.push((at, sentence));
                        }
                    }
                    EventBody::TaskFinished => return Ok((results, at)),
                    other => return Err(unexpected(&other)),
                }
            }
        };
        let ((first_sent, finish_sent), (results, finished)) = tokio::try_join!(send, receive)?;
        Ok(TaskRecord {
            started,
            first_sent,
            finish_sent,
            finished,
            results,
        })
    }
}

/// The next event of the task.
async fn next_event(
    stream: &mut (impl StreamExt<Item = Result<Message, tokio_tungstenite::tungstenite::Error>> + Unpin),
    task_id: &str,
) -> Result<EventBody, CliError> {
    loop {
        let message = timeout(PATIENCE, stream.next()).await.map_err(|_| {
            network(format!(
                "the server was silent for {} s",
                PATIENCE.as_secs()
            ))
        })?;
        let text = match message {
            Some(Ok(Message::Text(text))) => text,
            Some(Ok(Message::Ping(_) | Message::Pong(_))) => continue,
            Some(Ok(Message::Close(_))) | None => {
                return Err(network(
                    "the server closed the connection in the middle of a task".to_owned(),
                ));
            }
            Some(Ok(other)) => {
                return Err(network(format!(
                    "the server sent {other:?}, which is no event"
                )));
            }
            Some(Err(error)) => return Err(broken(error)),
        };
        let event = Event::parse(&text).map_err(|error| network(error.to_string()))?;
        if event.task_id != task_id {
            return Err(network(format!(
                "the server sent an event of the task {:?}",
                event.task_id
            )));
        }
        return Ok(event.body);
    }
}

fn network(message: String) -> CliError {
    CliError::new(CliErrorKind::Network, message)
}

fn broken(error: tokio_tungstenite::tungstenite::Error) -> CliError {
    network(format!("the connection broke: {error}"))
}

fn unexpected(event: &EventBody) -> CliError {
    match event {
        EventBody::TaskFailed { code, message } => {
            network(format!("the task failed: {code}: {message}"))
        }
        other => network(format!("the server sent {other:?} out of turn")),
    }
}

#[cfg(test)]
mod tests {
    use std::time::{Duration, Instant};

    use futures_util::{SinkExt, StreamExt};
    use ting_protocol::{ClientMessage, ErrorCode, Event, EventBody, Sentence, Usage, Word};
    use tokio::net::TcpListener;
    use tokio_tungstenite::accept_async;
    use tokio_tungstenite::tungstenite::Message;

    use super::{Client, Pace, TaskRecord};

    fn sentence(text: &str, end: u64, is_final: bool) -> Sentence {
        let word = Word {
            begin_time: 0,
            end_time: Some(end),
            text: text.to_owned(),
            punctuation: String::new(),
            fixed: None,
        };
        Sentence {
            begin_time: 0,
            end_time: is_final.then_some(end),
            text: text.to_owned(),
            heartbeat: false,
            sentence_begin: false,
            sentence_end: is_final,
            sentence_id: 1,
            words: vec![word],
            stash: None,
        }
    }

    /// A server that answers every task with a partial and, as a final, the number of audio bytes. It fails tasks of
    /// more than `limit` bytes.
    async fn serve(limit: usize) -> String {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move {
            let (stream, _) = listener.accept().await.unwrap();
            let mut socket = accept_async(stream).await.unwrap();
            let mut bytes = 0;
            let mut id = String::new();
            while let Some(Ok(message)) = socket.next().await {
                let mut answers = Vec::new();
                match message {
                    Message::Binary(audio) => bytes += audio.len(),
                    Message::Text(text) => match ClientMessage::parse(&text).unwrap() {
                        ClientMessage::RunTask(run) => {
                            (id, bytes) = (run.task_id, 0);
                            answers.push(EventBody::TaskStarted);
                            let sentence = sentence("partial", 10, false);
                            answers.push(EventBody::ResultGenerated {
                                sentence,
                                usage: None,
                            });
                        }
                        _ => {
                            let sentence = sentence(&bytes.to_string(), 20, true);
                            let usage = Some(Usage { duration: 1 });
                            answers.push(EventBody::ResultGenerated { sentence, usage });
                            answers.push(EventBody::TaskFinished);
                        }
                    },
                    _ => {}
                }
                if bytes > limit {
                    let message = "too long".to_owned();
                    answers.push(EventBody::TaskFailed {
                        code: ErrorCode::InvalidParameter,
                        message,
                    });
                }
                for body in answers {
                    let _ = socket
                        .send(Message::text(Event::new(&id, body).to_json()))
                        .await;
                }
            }
        });
        format!("ws://{address}/")
    }

    #[tokio::test]
    async fn tasks_follow_each_other_on_a_connection() {
        let url = serve(usize::MAX).await;
        let mut client = Client::connect(&url, Some("key")).await.unwrap();
        for (bytes, pace) in [
            (100_001, Pace::Burst),
            (9_601, Pace::RealTime),
            (0, Pace::RealTime),
        ] {
            let record = client.run_task(&vec![0; bytes], pace).await.unwrap();
            let finals: Vec<&str> = record
                .finals()
                .map(|sentence| sentence.text.as_str())
                .collect();
            assert_eq!(finals, [bytes.to_string()]);
            assert_eq!(record.results.len(), 2);
            assert!(record.started <= record.first_sent && record.first_sent <= record.finish_sent);
            assert!(record.finish_sent <= record.finished);
        }
    }

    #[tokio::test]
    async fn failures_are_errors() {
        let url = serve(50_000).await;
        let mut client = Client::connect(&url, None).await.unwrap();
        let error = client
            .run_task(&vec![0; 1_000_000], Pace::Burst)
            .await
            .unwrap_err();
        assert!(
            error.to_string().contains("InvalidParameter: too long"),
            "{error}"
        );

        let error = Client::connect("ws://127.0.0.1:1/", None)
            .await
            .err()
            .unwrap();
        assert!(
            error
                .to_string()
                .contains("cannot connect to ws://127.0.0.1:1/"),
            "{error}"
        );
    }

    #[test]
    fn delays_are_computed_from_the_record() {
        let zero = Instant::now();
        let at = |ms| zero + Duration::from_millis(ms);
        let record = TaskRecord {
            started: at(0),
            first_sent: at(100),
            finish_sent: at(2000),
            finished: at(2150),
            results: vec![
                (at(300), sentence("", 0, false)),
                (at(700), sentence("one", 500, false)),
                // Covers nothing new: it says nothing of how fast words come.
                (at(900), sentence("one", 500, false)),
                (at(1300), sentence("one two", 1000, false)),
                (at(2100), sentence("one two", 1900, true)),
            ],
        };
        let close = |a: f64, b: f64| (a - b).abs() < 1e-9;
        assert!(close(record.first_package_delay().unwrap(), 0.6));
        assert!(close(record.last_package_delay(), 0.15));
        let lags = record.response_lags();
        assert!(
            lags.len() == 2 && close(lags[0], 0.2) && close(lags[1], 0.3),
            "{lags:?}"
        );
        assert_eq!(record.finals().count(), 1);

        let silent = TaskRecord {
            results: Vec::new(),
            ..record
        };
        assert_eq!(
            (silent.first_package_delay(), silent.response_lags().len()),
            (None, 0)
        );
    }
}
