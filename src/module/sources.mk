# The module protocol: frames, XML, the core's side (call) and the modules' side (serve).
LIBJULIA_SRC += src/module/answer.c src/module/frame.c src/module/xml.c src/module/xml_write.c \
                src/module/schema.c src/module/schema_tables.c src/module/environment.c src/module/output.c \
                src/module/channel.c src/module/call.c src/module/serve.c src/module/serve_request.c
