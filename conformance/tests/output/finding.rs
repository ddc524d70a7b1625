// [dev-dependencies]
// mec011-service-management = { git = "https://github.com/mecforge/mecforge", features = ["client"] }
// mecforge-runtime = { git = "https://github.com/mecforge/mecforge" }
// tokio = { version = "1", features = ["macros", "rt"] }
use mecforge_runtime::client::{Answer, RetryPolicy};
use mecforge_runtime::http::HeaderName;
use mecforge_runtime::operation::Operation;

fn operation(of: &[&'static Operation], method: &str, path: &str) -> Result<&'static Operation, &'static str> {
    let mut operations = of.iter().copied();
    let found = operations.find(|operation| (operation.method, operation.path) == (method, path));
    found.ok_or("the client has no such operation")
}

#[tokio::test]
async fn f_1() -> Result<(), Box<dyn std::error::Error>> {
    let mec011_service_management = mec011_service_management::Client::builder("http://127.83.71.1:18011")
        .base_path("/edge/mec_service_mgmt/v1")
        .retry(RetryPolicy::NEVER)
        .build()?;
    let answer_1 = mec011_service_management
        .http_client()
        .request::<Answer>(operation(mec011_service_management::OPERATIONS, "POST", "/applications/{appInstanceId}/services")?)
        .path("appInstanceId", "one")
        .bytes("application/json", r#"{"serName": "a"}"#)
        .send()
        .await?;
    let id_1 = answer_1.location().and_then(|location| location.last_segment()).ok_or("Location names nothing")?;
    let tag_1 = answer_1.headers()["etag"].to_str()?.to_owned();
    let answer_2 = mec011_service_management
        .http_client()
        .request::<Answer>(operation(mec011_service_management::OPERATIONS, "GET", "/applications/{appInstanceId}/services/{serviceId}")?)
        .path("appInstanceId", "one")
        .path("serviceId", &id_1)
        .raw_header(HeaderName::from_static("if-none-match"), &tag_1)
        .send()
        .await?;
    // Expected: 304 or 412
    assert!(matches!(answer_2.status().as_u16(), 304 | 412), "{}", answer_2.status().as_u16());
    Ok(())
}
