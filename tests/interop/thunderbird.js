/* What peers_thunderbird.py asks of Thunderbird. Each function is called by name in Thunderbird's own (chrome) context with an array of
   arguments, and returns a promise. */
const { MailServices } = ChromeUtils.importESModule("resource:///modules/MailServices.sys.mjs");
const { setTimeout } = ChromeUtils.importESModule("resource://gre/modules/Timer.sys.mjs");
const { FileUtils } = ChromeUtils.importESModule("resource://gre/modules/FileUtils.sys.mjs");

const thunderbird = {
  inbox: null,

  certificates() {
    return Cc["@mozilla.org/security/x509certdb;1"].getService(Ci.nsIX509CertDB);
  },

  /** The CA, trusted for mail; a folder for messages that are read. */
  async begin([ca]) {
    this.certificates().addCertFromBase64(ca, "CT,CT,CT");
    const account = MailServices.accounts.createLocalMailAccount();
    const root = account.incomingServer.rootMsgFolder.QueryInterface(Ci.nsIMsgLocalMailFolder);
    this.inbox = root.createLocalSubfolder("Inbox").QueryInterface(Ci.nsIMsgLocalMailFolder);
    this.inbox.setFlag(Ci.nsMsgFolderFlags.Mail);
    // the window does that when it meets the first S/MIME message
    ChromeUtils.importESModule("chrome://openpgp/content/modules/mimeVerify.sys.mjs").EnigmailVerify.unregisterPGPMimeHandler();
    return Services.appinfo.version;
  },

  async owns([file, password]) {
    const code = this.certificates().importPKCS12File(new FileUtils.File(file), password);
    if (code !== 0) throw new Error("importPKCS12File: " + code);
  },

  async knows([certificate]) {
    this.certificates().addCertFromBase64(certificate, ",,");
  },

  /** Reads a message as if it were shown: {signed, encrypted: status or null, text}; 0 is good. What is expected is waited for, since
      certificates are judged in another thread. */
  async read([file, signed, encrypted]) {
    const header = await this.store(file);
    const found = { signed: null, encrypted: null, text: "" };
    const sink = {
      signedStatus(level, status) {
        found.signed = found.signed || status;
      },
      encryptionStatus(level, status) {
        found.encrypted = found.encrypted || status;
      },
      QueryInterface: ChromeUtils.generateQI(["nsIMsgSMIMESink"]),
    };
    found.text = await this.show(header, sink);
    for (let i = 0; i < 2000 && ((signed && found.signed === null) || (encrypted && found.encrypted === null)); i++)
      await new Promise(resolve => setTimeout(resolve, 50));
    return found;
  },

  store(file) {
    return new Promise((resolve, reject) => {
      const before = new Set([...this.inbox.messages].map(header => header.messageKey));
      MailServices.copy.copyFileMessage(new FileUtils.File(file), this.inbox, null, true, 0, "", {
        onStartCopy() {},
        onProgress() {},
        setMessageKey() {},
        getMessageId() {},
        onStopCopy: status => {
          const header = [...this.inbox.messages].find(one => !before.has(one.messageKey));
          if (Components.isSuccessCode(status) && header) resolve(header);
          else reject(new Error("copyFileMessage: " + status));
        },
        QueryInterface: ChromeUtils.generateQI(["nsIMsgCopyServiceListener"]),
      }, null);
    });
  },

  show(header, sink) {
    const uri = header.folder.getUriForMsg(header);
    const url = MailServices.messageServiceFromURI(uri).getUrlForUri(uri);
    const channel = Services.io.newChannelFromURI(url, null, Services.scriptSecurityManager.getSystemPrincipal(), null,
      Ci.nsILoadInfo.SEC_ALLOW_CROSS_ORIGIN_SEC_CONTEXT_IS_NULL, Ci.nsIContentPolicy.TYPE_OTHER).QueryInterface(Ci.nsIMailChannel);
    channel.smimeSink = sink;
    return new Promise((resolve, reject) => {
      let text = "";
      const listener = {
        onStartRequest() {},
        onDataAvailable(request, input, offset, count) {
          const stream = Cc["@mozilla.org/scriptableinputstream;1"].createInstance(Ci.nsIScriptableInputStream);
          stream.init(input);
          text += stream.readBytes(count);
        },
        onStopRequest(request, status) {
          if (Components.isSuccessCode(status)) resolve(text);
          else reject(new Error("reading: " + status));
        },
        QueryInterface: ChromeUtils.generateQI(["nsIStreamListener", "nsIRequestObserver"]),
      };
      const converter = Cc["@mozilla.org/streamConverters;1"].getService(Ci.nsIStreamConverterService)
        .asyncConvertData("message/rfc822", "text/html", listener, channel);
      channel.asyncOpen(converter);
    });
  },

  /** The S/MIME entity that Thunderbird makes of an entity; by its own choice of algorithms. */
  async write([entity, sender, recipients, sign, encrypt]) {
    const fields = Cc["@mozilla.org/messengercompose/composefields;1"].createInstance(Ci.nsIMsgCompFields);
    const secure = Cc["@mozilla.org/messengercompose/composesecure;1"].createInstance(Ci.nsIMsgComposeSecure);
    const identity = await this.identity(sender);
    secure.signMessage = sign;
    secure.requireEncryptMessage = encrypt;
    fields.composeSecure = secure;
    fields.from = sender;
    fields.to = recipients.join(", ");
    for (const address of encrypt ? [sender, ...recipients] : []) await this.findRecipient(secure, address);
    const output = Cc["@mozilla.org/storagestream;1"].createInstance(Ci.nsIStorageStream);
    output.init(4096, 1 << 24);
    const stream = output.getOutputStream(0);
    if (!secure.requiresCryptoEncapsulation(identity, fields)) throw new Error("nothing to do");
    this.beginWriting(secure, stream, fields, identity);
    for (const line of entity.match(/[^\n]*\n/g)) secure.mimeCryptoWriteBlock(line, line.length);
    secure.finishCryptoEncapsulation(false, null);
    stream.close();
    const input = Cc["@mozilla.org/binaryinputstream;1"].createInstance(Ci.nsIBinaryInputStream);
    input.setInputStream(output.newInputStream(0));
    return input.readBytes(output.length);
  },

  /** Versions before 153 have no place for the header. */
  beginWriting(secure, stream, fields, identity) {
    try {
      secure.beginCryptoEncapsulation(stream, fields.to, fields, null, identity, null, false);
    } catch (error) {
      if (error.result !== Cr.NS_ERROR_XPC_BAD_CONVERT_JS) throw error;
      secure.beginCryptoEncapsulation(stream, fields.to, fields, identity, null, false);
    }
  },

  async identity(address) {
    const certificate = this.certificates().getCerts().find(one => one.emailAddress === address);
    const identity = MailServices.accounts.createIdentity();
    identity.email = address;
    for (const use of ["signing", "encryption"]) {
      identity.setUnicharAttribute(`${use}_cert_name`, certificate.displayName);
      identity.setCharAttribute(`${use}_cert_dbkey`, certificate.dbKey);
    }
    return identity;
  },

  findRecipient(secure, address) {
    return new Promise((resolve, reject) => secure.asyncFindCertByEmailAddr(address, (email, certificate) => {
      if (!certificate) reject(new Error("no valid certificate for " + email));
      else {
        secure.cacheValidCertForEmail(email, certificate.dbKey);
        resolve();
      }
    }));
  },
};
