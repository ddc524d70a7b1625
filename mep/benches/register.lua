-- For wrk: registers services, each POST a durable write. The body is what an application sends for a REST service.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = '{"serName":"weather","serCategory":{"href":"/catalogue/1","id":"id12345","name":"RNI","version":"v1"},'
  .. '"version":"1.0","state":"ACTIVE","serializer":"JSON","transportInfo":{"id":"rest","name":"REST","type":"REST_HTTP",'
  .. '"protocol":"HTTP","version":"2.0","endpoint":{"uris":["http://10.0.0.1:8080/weather"]},"security":{}},'
  .. '"scopeOfLocality":"MEC_HOST","consumedLocalOnly":false,"isLocal":true}'
