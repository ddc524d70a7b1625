//! A server of the fixture's API that answers with what it has understood.

use std::sync::Arc;

use fixture_operations::server::FixtureOperations;
use fixture_operations::*;
use mecforge_runtime::server::{Caller, Problem};
use mecforge_runtime::{Bytes, EntityTag};

/// The only entity tag of every thing.
pub(crate) fn tag() -> EntityTag {
    EntityTag::strong("1")
}

pub(crate) struct Platform;

impl FixtureOperations for Platform {
    async fn list_things(&self, request: ListThings, _: &Caller) -> Result<ListThingsResponse, Problem> {
        let ListThings {
            query,
            headers,
            cookies,
        } = request;
        let names = vec![
            format!("id {:?}", query.id),
            format!("tags {:?}", query.tags),
            format!(
                "point {:?}",
                query.point.map(|point| (point.x, point.y, point.labels))
            ),
            format!("area {:?}", query.area.map(|area| (area.radius, area.name))),
            format!("filter {:?}", query.filter.map(|point| point.x)),
            format!("colour {:?}", query.colour),
            format!("pipes {:?}", query.pipes),
            format!("trace {:?} numbers {:?}", headers.x_trace, headers.x_numbers),
            format!("session {:?}", cookies.session),
        ];
        let body = match query.tags.first().map(String::as_str) {
            Some("csv") => ListThingsOkContent::Csv("a;b".to_owned()),
            Some("bytes") => ListThingsOkContent::OctetStream(Bytes::from_static(&[0, 255])),
            Some("teapot") => {
                return Ok(ListThingsResponse::Status4xx {
                    status: 418,
                    body: problem(418),
                });
            }
            Some("default") => {
                return Ok(ListThingsResponse::Default {
                    status: 503,
                    body: Location::default(),
                });
            }
            _ => ListThingsOkContent::Json(vec![Thing::new("a")]),
        };
        Ok(ListThingsResponse::Ok {
            etag: None,
            x_total: 7,
            x_names: Some(names),
            body,
        })
    }

    async fn create_thing(
        &self,
        request: CreateThing,
        caller: &Caller,
    ) -> Result<CreateThingResponse, Problem> {
        let body = match request.body {
            CreateThingContent::Json(thing) | CreateThingContent::MergePatchJson(thing) => thing,
            CreateThingContent::XWwwFormUrlencoded(point) => Thing::new(format!("{}/{}", point.x, point.y)),
            CreateThingContent::Plain(text) => Thing::new(text),
            CreateThingContent::OctetStream(_) => return Ok(CreateThingResponse::Accepted),
        };
        let location = mecforge_runtime::Location::new(caller.url(&GetThing::path(3)));
        Ok(CreateThingResponse::Created {
            location,
            etag: Some(tag()),
            body,
        })
    }

    async fn get_thing(&self, request: GetThing, _: &Caller) -> Result<GetThingResponse, Problem> {
        Ok(GetThingResponse::Ok {
            etag: Some(tag()),
            body: Thing::new(format!("n{}", request.thing_id)),
        })
    }

    async fn replace_thing(
        &self,
        request: ReplaceThing,
        _: &Caller,
    ) -> Result<ReplaceThingResponse, Problem> {
        request.preconditions.check(Some(&tag()))?;
        Ok(ReplaceThingResponse::NoContent {
            etag: Some(EntityTag::strong(request.thing.name)),
        })
    }

    async fn delete_thing(&self, request: DeleteThing, _: &Caller) -> Result<DeleteThingResponse, Problem> {
        request.preconditions.check(Some(&tag()))?;
        match request.thing_id {
            9 => Err(Problem::internal("a cause that nobody sees")),
            _ => Ok(DeleteThingResponse::NoContent),
        }
    }

    async fn head_thing(&self, _: HeadThing, _: &Caller) -> Result<HeadThingResponse, Problem> {
        Ok(HeadThingResponse::Ok { etag: None })
    }

    async fn get_things_special(
        &self,
        _: GetThingsSpecial,
        _: &Caller,
    ) -> Result<GetThingsSpecialResponse, Problem> {
        Ok(GetThingsSpecialResponse::Ok {
            etag: None,
            body: "special".to_owned(),
        })
    }

    async fn get_range(&self, request: GetRange, _: &Caller) -> Result<GetRangeResponse, Problem> {
        let body = format!("{} to {:?}", request.from, request.to);
        Ok(GetRangeResponse::Ok {
            etag: None,
            body: body.into(),
        })
    }

    async fn replace_upload(
        &self,
        request: ReplaceUpload,
        _: &Caller,
    ) -> Result<ReplaceUploadResponse, Problem> {
        Ok(ReplaceUploadResponse::NoContent {
            etag: Some(EntityTag::strong(request.body.len().to_string())),
        })
    }

    async fn upload(&self, request: UploadOperation, _: &Caller) -> Result<UploadOperationResponse, Problem> {
        match request.upload {
            Some(upload) if upload == expected_upload() => Ok(UploadOperationResponse::NoContent),
            Some(_) => Err(Problem::unprocessable("another upload")),
            None => Err(Problem::bad_request("no upload")),
        }
    }

    async fn options_upload(&self, _: OptionsUpload, _: &Caller) -> Result<OptionsUploadResponse, Problem> {
        Ok(OptionsUploadResponse::Ok)
    }

    async fn form(&self, request: Form, _: &Caller) -> Result<FormResponse, Problem> {
        match request.point {
            Some(point) if point.labels.is_some() => Ok(FormResponse::NoContent),
            _ => Ok(FormResponse::Status4xx { status: 499 }),
        }
    }
}

/// What the upload test sends.
pub(crate) fn expected_upload() -> Upload {
    Upload::new("a \"title\"\r\n--with lines")
        .sizes(vec![1, 2])
        .point(Point::new(1.5, -2.0))
}

fn problem(status: i64) -> ProblemDetails {
    ProblemDetails::default().status(status)
}

/// Serves the platform below the API's base path; gives the base URL.
pub(crate) async fn serve() -> String {
    let router = axum::Router::new().nest(BASE_PATH, server::router(Arc::new(Platform)));
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move { axum::serve(listener, router).await });
    format!("http://{address}")
}
