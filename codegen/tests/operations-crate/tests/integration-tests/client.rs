//! The generated client against the generated server.

use fixture_operations::*;
use mecforge_runtime::client::{Error, Unexpected};
use mecforge_runtime::http::StatusCode;
use mecforge_runtime::{Bytes, EntityTag};

use crate::platform::{expected_upload, serve, tag};

async fn client() -> Client {
    Client::new(serve().await).unwrap()
}

fn no_cookies() -> ListThingsCookies {
    ListThingsCookies::default()
}

#[tokio::test]
async fn parameters_arrive_as_they_were_given() {
    let client = client().await;
    let query = ListThingsQuery {
        id: vec![1, 2],
        tags: vec!["a,b".to_owned(), "c d".to_owned()],
        point: Some(Point::new(1.5, -2.0).labels(vec!["x".to_owned()])),
        area: Some(Area::new(4.0).name("é")),
        filter: Some(Point::new(0.0, 1.0)),
        pipes: vec!["p".to_owned(), "q".to_owned()],
        ..ListThingsQuery::new(Colour::Green)
    };
    let headers = ListThingsHeaders {
        x_trace: Some("ab12".to_owned()),
        x_numbers: vec![3, -4],
    };
    let cookies = ListThingsCookies {
        session: Some("abc".to_owned()),
    };
    let listed = client.list_things(&query, &headers, &cookies).await.unwrap();
    assert_eq!(listed.body, ListThingsOkContent::Json(vec![Thing::new("a")]));
    assert_eq!(listed.x_total, 7);
    // The header is a list, whose elements hold commas of their own here: what arrives is the text, split.
    assert_eq!(
        listed.x_names.unwrap().join(", "),
        "id [1, 2], tags [\"a,b\", \"c d\"], point Some((1.5, -2.0, Some([\"x\"]))), area Some((4.0, Some(\"é\"))), \
         filter Some(0.0), colour Green, pipes [\"p\", \"q\"], trace Some(\"ab12\") numbers [3, -4], session Some(\"abc\")"
            .replace("a,b", "a, b")
    );
}

#[tokio::test]
async fn every_declared_response_is_a_typed_value() {
    let client = client().await;
    let list = async |tag: &str| {
        let query = ListThingsQuery {
            tags: vec![tag.to_owned()],
            ..ListThingsQuery::new(Colour::Red)
        };
        client
            .list_things(&query, &ListThingsHeaders::new(vec![1]), &no_cookies())
            .await
    };
    assert_eq!(
        list("csv").await.unwrap().body,
        ListThingsOkContent::Csv("a;b".to_owned())
    );
    assert_eq!(
        list("bytes").await.unwrap().body,
        ListThingsOkContent::OctetStream(Bytes::from_static(&[0, 255]))
    );
    let teapot = list("teapot").await.unwrap_err();
    assert!(
        matches!(
            teapot.response(),
            Some(ListThingsResponse::Status4xx { status: 418, .. })
        ),
        "{teapot:?}"
    );
    assert_eq!(teapot.problem().unwrap().status, Some(418));
    let other = list("default").await.unwrap_err();
    assert!(
        matches!(
            other.response(),
            Some(ListThingsResponse::Default { status: 503, .. })
        ),
        "{other:?}"
    );
}

#[tokio::test]
async fn bodies_of_every_media_type_arrive() {
    let client = client().await;
    for (content, name) in [
        (CreateThingContent::Json(Thing::new("a")), "a"),
        (CreateThingContent::MergePatchJson(Thing::new("b")), "b"),
        (
            CreateThingContent::XWwwFormUrlencoded(Point::new(1.0, 2.5)),
            "1/2.5",
        ),
        (CreateThingContent::Plain("c".to_owned()), "c"),
    ] {
        match client.create_thing(&content).await.unwrap() {
            CreateThingSuccess::Created { location, etag, body } => {
                assert_eq!((body.name.as_str(), etag), (name, Some(tag())));
                assert!(location.as_str().starts_with("http://127.0.0.1:"), "{location}");
                assert!(
                    location.as_str().ends_with("/operations/v1/things/3"),
                    "{location}"
                );
            }
            CreateThingSuccess::Accepted => panic!("{name} was to be created"),
        }
    }
    let bytes = CreateThingContent::OctetStream(Bytes::from_static(b"x"));
    assert_eq!(
        client.create_thing(&bytes).await.unwrap(),
        CreateThingSuccess::Accepted
    );
    let replaced = client
        .replace_upload(&Bytes::from_static(b"12345"))
        .await
        .unwrap();
    assert_eq!(replaced.etag, Some(EntityTag::strong("5")));
}

#[tokio::test]
async fn forms_arrive() {
    let client = client().await;
    client.upload(Some(&expected_upload())).await.unwrap();
    assert_eq!(
        client.upload(None).await.unwrap_err().status(),
        Some(StatusCode::BAD_REQUEST)
    );
    client
        .form(Some(
            &Point::new(0.0, 0.0).labels(vec!["a&b".to_owned(), "c".to_owned()]),
        ))
        .await
        .unwrap();
    let refused = client.form(None).await.unwrap_err();
    assert!(
        matches!(refused.response(), Some(FormResponse::Status4xx { status: 499 })),
        "{refused:?}"
    );
}

#[tokio::test]
async fn paths_find_their_operations() {
    let client = client().await;
    assert_eq!(
        client.get_thing(4).await.unwrap(),
        GetThingSuccess::Ok {
            etag: Some(tag()),
            body: Thing::new("n4")
        }
    );
    assert_eq!(client.get_things_special().await.unwrap().body, "special");
    assert_eq!(
        client.get_range("a/b", &Colour::Red).await.unwrap().body,
        "a/b to Red"
    );
    // The document declares HEAD by itself, so it is not answered by GET, which has an entity tag.
    assert_eq!(client.head_thing(1).await.unwrap().etag, None);
    client.options_upload().await.unwrap();
}

#[tokio::test]
async fn conditions_are_honoured() {
    let client = client().await;
    let (thing, old) = (Thing::new("new"), EntityTag::strong("0"));
    let replaced = client.replace_thing(1, &thing).if_match(&tag()).await.unwrap();
    assert_eq!(replaced.etag, Some(EntityTag::strong("new")));
    let refused = client.delete_thing(1).if_match(&old).await.unwrap_err();
    assert_eq!(refused.status(), Some(StatusCode::PRECONDITION_FAILED));
    client.delete_thing(1).if_match(&tag()).await.unwrap();
    let unchanged = client.get_thing(1).if_none_match(&tag()).await.unwrap();
    assert_eq!(unchanged, GetThingSuccess::NotModified);
}

#[tokio::test]
async fn errors_tell_what_went_wrong() {
    let client = client().await;
    let invalid = client
        .create_thing(&CreateThingContent::Json(Thing::new("too long")))
        .await
        .unwrap_err();
    assert!(
        matches!(&invalid, Error::InvalidRequest { parameter: None, invalid } if invalid.pointer() == "/name")
    );
    let undeclared = client.get_thing(0).await.unwrap_err();
    assert!(
        matches!(
            &undeclared,
            Error::Unexpected {
                reason: Unexpected::Status,
                ..
            }
        ),
        "{undeclared:?}"
    );
    let problem = undeclared.problem().unwrap();
    assert_eq!(
        (problem.extension("parameter"), problem.extension("rule")),
        (Some("thingId"), Some("minimum"))
    );
    let failed = client.delete_thing(9).await.unwrap_err();
    assert_eq!(
        failed.problem().unwrap().detail.as_deref(),
        Some("the server has failed; its log tells why")
    );
}
