LIBJULIA_SRC += src/mail/utf8.c src/mail/glyph.c src/mail/punycode.c src/mail/charset.c \
	src/mail/address.c src/mail/address_list.c src/mail/address_plain.c \
	src/mail/header.c src/mail/header_typed.c src/mail/header_plain.c src/mail/header_decode.c src/mail/header_write.c \
	src/mail/mime.c src/mail/mime_parse.c src/mail/mime_scan.c \
	src/mail/date.c src/mail/qp.c src/mail/source.c src/mail/encoding_check.c src/mail/ber.c src/mail/cms.c src/mail/smime_part.c
