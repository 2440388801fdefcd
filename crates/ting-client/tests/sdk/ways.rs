//! Ways to a server: TLS, proxies, and what is wrong with an option.

use std::sync::Arc;
use std::time::Duration;

use serde_json::json;
use ting_client::{Error, ErrorKind, Recognition, RecognitionBuilder};
use tokio::io::{AsyncReadExt, AsyncWriteExt, copy_bidirectional};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::ServerConfig;
use tokio_rustls::rustls::crypto::ring;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;

use crate::life_cycle::builder;
use crate::script::{Server, well};

#[test]
fn tls_with_a_certificate_of_ones_own() {
    let made = rcgen::generate_simple_self_signed(vec!["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(made.signing_key.serialize_der().into());
    let config = ServerConfig::builder_with_provider(Arc::new(ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let tls = TlsAcceptor::from(Arc::new(config));
    let server = Server::start_over(vec![well()], Some(tls));
    let port = server.address.port();
    let to = |host: &str| {
        let endpoint = format!("wss://{host}:{port}/api-ws/v1/inference");
        builder(&server).endpoint(endpoint).connect_attempts(1)
    };
    let call = |builder: RecognitionBuilder| builder.build_blocking()?.call_bytes(vec![0; 2]);

    let trusting = to("localhost").root_certificates(made.cert.pem());
    assert_eq!(call(trusting).unwrap().text(), "好。");
    let error = call(to("localhost")).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    assert!(error.message().contains("certificate"), "{error}");
    let error = call(to("127.0.0.1").root_certificates(made.cert.pem())).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
    for wrong in [
        "",
        "-----BEGIN CERTIFICATE-----\nno\n-----END CERTIFICATE-----\n",
    ] {
        let error = call(to("localhost").root_certificates(wrong)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
    }
    // A server without TLS is no reason to hang.
    let plain = Server::start(vec![well()]);
    let endpoint = format!("wss://localhost:{}/", plain.address.port());
    let error = call(to("localhost").endpoint(endpoint)).unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Connect, "{error}");
}

/// A proxy that answers with `status`, and what it was asked.
fn proxy(status: u16, target: std::net::SocketAddr) -> (String, Arc<std::sync::Mutex<String>>) {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let asked = Arc::new(std::sync::Mutex::new(String::new()));
    let note = asked.clone();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .unwrap();
        runtime.block_on(async {
            listener.set_nonblocking(true).unwrap();
            let listener = TcpListener::from_std(listener).unwrap();
            loop {
                let (mut client, _) = listener.accept().await.unwrap();
                let mut head = Vec::new();
                while !head.ends_with(b"\r\n\r\n") {
                    head.push(client.read_u8().await.unwrap());
                }
                *note.lock().unwrap() = String::from_utf8(head).unwrap();
                let answer = format!("HTTP/1.1 {status} Because\r\nX: 1\r\n\r\n");
                client.write_all(answer.as_bytes()).await.unwrap();
                if status == 200 {
                    let mut server = TcpStream::connect(target).await.unwrap();
                    tokio::spawn(async move { copy_bidirectional(&mut client, &mut server).await });
                }
            }
        });
    });
    (address.to_string(), asked)
}

#[test]
fn a_proxy_makes_a_tunnel() {
    let server = Server::start(vec![well()]);
    let (address, asked) = proxy(200, server.address);
    // A name that only the proxy can find.
    let through = |proxy: &str| {
        builder(&server)
            .endpoint("ws://ting.invalid/api-ws/v1/inference")
            .proxy(proxy)
            .connect_attempts(1)
            .build_blocking()?
            .call_bytes(vec![0; 2])
    };
    let with_user = format!("http://me:p%40ss@{address}");
    assert_eq!(through(&with_user).unwrap().text(), "好。");
    let asked = asked.lock().unwrap().clone();
    assert!(
        asked.starts_with("CONNECT ting.invalid:80 HTTP/1.1\r\nHost: ting.invalid:80\r\n"),
        "{asked}"
    );
    // "me:p@ss"
    assert!(
        asked.contains("Proxy-Authorization: Basic bWU6cEBzcw==\r\n"),
        "{asked}"
    );

    let (address, _) = proxy(407, server.address);
    let error = through(&address).unwrap_err();
    assert_eq!(
        (error.kind(), error.status()),
        (ErrorKind::Connect, Some(407))
    );
    let error = through("socks5://h").unwrap_err();
    assert_eq!(error.kind(), ErrorKind::InvalidParameter);
    // Without one the name is not found.
    assert_eq!(through("").unwrap_err().kind(), ErrorKind::Connect);
}

#[test]
fn options_out_of_their_range_are_refused_by_name() {
    type Change = fn(RecognitionBuilder) -> RecognitionBuilder;
    let cases: &[(Change, &str)] = &[
        (
            |b| b.sample_rate(7999),
            "sample_rate is 7999; it must be an integer from 8000 to 192000 (Hz)",
        ),
        (
            |b| b.max_sentence_silence(199),
            "max_sentence_silence is 199; it must be an integer from 200 to 6000 (ms)",
        ),
        (
            |b| b.max_sentence_silence(6001),
            "max_sentence_silence is 6001",
        ),
        (
            |b| b.speech_noise_threshold(1.1),
            "speech_noise_threshold is 1.1; it must be a number from -1.0 to 1.0",
        ),
        (
            |b| b.speech_noise_threshold(f64::NAN),
            "speech_noise_threshold is NaN",
        ),
        (|b| b.language_hints(["zh", ""]), "language_hints is \"\""),
        (
            |b| b.special_word_filter(1),
            "special_word_filter is 1; it must be a JSON object",
        ),
        (
            |b| b.endpoint("http://h/"),
            "endpoint is \"http://h/\"; it must be a URL with ws:// or wss://",
        ),
        (|b| b.endpoint("ws://"), "endpoint is \"ws://\""),
        (|b| b.endpoint(""), "endpoint is \"\""),
        (
            |b| b.api_key("a\nb"),
            "api_key is \"…\"; it must be visible ASCII characters",
        ),
        (|b| b.header("a b", "c"), "header is \"a b\""),
        (|b| b.header("a", "b\nc"), "header \"a\""),
        (|b| b.header("Upgrade", "h2c"), "header is \"Upgrade\""),
        (|b| b.workspace("\n"), "workspace is"),
        (|b| b.proxy("ftp://h"), "proxy is"),
        (
            |b| b.connect_attempts(0),
            "connect_attempts is 0; it must be an integer from 1 to 100",
        ),
        (|b| b.start_timeout(Duration::ZERO), "start_timeout is 0ns"),
        (|b| b.silence_timeout(Duration::MAX), "silence_timeout is"),
    ];
    for (change, message) in cases {
        let builder = Recognition::builder("m").endpoint("ws://127.0.0.1:1/");
        let error = change(builder).build().unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidParameter, "{error}");
        assert!(
            error.message().starts_with(message) || error.message().contains(message),
            "{error}"
        );
    }
    // What may be secret is not repeated.
    let builder = Recognition::builder("m").endpoint("ws://me:secret@127.0.0.1:1/a?api_key=secret");
    let recognition = builder.connect_attempts(1).build_blocking().unwrap();
    let error = recognition.call_bytes(vec![0; 2]).unwrap_err();
    assert!(error.message().contains("ws://127.0.0.1:1/a:"), "{error}");
    assert!(!format!("{error:?} {recognition:?}").contains("secret"));
    let error = Recognition::builder(" ")
        .endpoint("ws://h/")
        .build()
        .unwrap_err();
    assert!(error.message().starts_with("model is"), "{error}");
}

#[test]
fn every_parameter_is_sent_as_the_public_page_has_it() -> Result<(), Error> {
    let server = Server::start(vec![well()]);
    let filter = json!({"filter_with_signed": {"word_list": ["测试"]}});
    let recognition = builder(&server)
        .sample_rate(8000)
        .vocabulary_id("vocab-a-1")
        .semantic_punctuation_enabled(true)
        .max_sentence_silence(6000)
        .multi_threshold_mode_enabled(true)
        .punctuation_prediction_enabled(false)
        .heartbeat(true)
        .language_hints(["zh", "en"])
        .speech_noise_threshold(-0.5)
        .disfluency_removal_enabled(true)
        .inverse_text_normalization_enabled(false)
        .special_word_filter(filter.clone())
        .parameter("speaker_count", 2)
        .parameter("format", "flac")
        .parameter("nothing", json!(null))
        .build_blocking()?;
    recognition.set_parameter("later", vec![1, 2]);
    recognition.set_parameter("heartbeat", json!(null));
    recognition.call_bytes(vec![0; 2])?;
    let seen = server.wait_for(|seen| seen.closed);
    let want = json!({
        "format": "flac", "sample_rate": 8000, "vocabulary_id": "vocab-a-1", "semantic_punctuation_enabled": true,
        "max_sentence_silence": 6000, "multi_threshold_mode_enabled": true, "punctuation_prediction_enabled": false,
        "language_hints": ["zh", "en"], "speech_noise_threshold": -0.5, "disfluency_removal_enabled": true,
        "inverse_text_normalization_enabled": false, "special_word_filter": filter.to_string(), "speaker_count": 2,
        "later": [1, 2],
    });
    assert_eq!(seen.texts[0]["payload"]["parameters"], want);
    Ok(())
}
