-- Registers services, one after the other, under one application.
wrk.method = "POST"
wrk.headers["Content-Type"] = "application/json"
wrk.body = assert(io.open(os.getenv("MECFORGE_BODY"))):read("a")
