# The module protocol: frames, XML, the core's side (call) and the modules' side (serve).
LIBJULIA_SRC += src/module/answer.c src/module/frame.c src/module/xml.c src/module/xml_write.c
