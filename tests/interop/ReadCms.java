import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.util.Collection;
import java.util.Collections;
import org.bouncycastle.asn1.cms.CMSObjectIdentifiers;
import org.bouncycastle.asn1.cms.ContentInfo;
import org.bouncycastle.cert.X509CertificateHolder;
import org.bouncycastle.cms.CMSAuthEnvelopedData;
import org.bouncycastle.cms.CMSEnvelopedData;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedData;
import org.bouncycastle.cms.KeyAgreeRecipientInformation;
import org.bouncycastle.cms.RecipientInformation;
import org.bouncycastle.cms.SignerInformation;
import org.bouncycastle.cms.jcajce.JceKeyAgreeEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JceKeyTransEnvelopedRecipient;
import org.bouncycastle.cms.jcajce.JcaSimpleSignerInfoVerifierBuilder;

/** Reads a CMS object with BouncyCastle, as an opinion that shares no code with OpenSSL.
 *  verify CMS [CONTENT]        answers how many signers are good, or fails
 *  decrypt CMS P12 OUT         writes the content into a file; pass phrase "secret" */
public class ReadCms {
    static String run(String[] words) throws Exception {
        byte[] cms = Files.readAllBytes(Path.of(words[1]));
        if (words[0].equals("verify"))
            return verify(words.length > 2
                    ? new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(Path.of(words[2]))), cms)
                    : new CMSSignedData(cms)) + " good";
        Files.write(Path.of(words[3]), decrypt(cms, key(words[2])));
        return "";
    }

    private static int verify(CMSSignedData signed) throws Exception {
        int good = 0;
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            X509CertificateHolder holder =
                    (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder)))
                throw new IllegalStateException("signature does not fit");
            good++;
        }
        return good;
    }

    /** By BouncyCastle, too: Java itself does not know Brainpool's curves any more. */
    static KeyStore store(String file) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12", "BC");
        try (FileInputStream in = new FileInputStream(file)) {
            store.load(in, "secret".toCharArray());
        }
        return store;
    }

    static String alias(KeyStore store) throws Exception {
        for (String alias : Collections.list(store.aliases()))
            if (store.isKeyEntry(alias))
                return alias;
        throw new IllegalStateException("no key");
    }

    private static PrivateKey key(String file) throws Exception {
        KeyStore store = store(file);
        return (PrivateKey) store.getKey(alias(store), "secret".toCharArray());
    }

    private static byte[] decrypt(byte[] cms, PrivateKey key) throws Exception {
        Collection<RecipientInformation> recipients =
                ContentInfo.getInstance(cms).getContentType().equals(CMSObjectIdentifiers.authEnvelopedData)
                        ? new CMSAuthEnvelopedData(cms).getRecipientInfos().getRecipients()
                        : new CMSEnvelopedData(cms).getRecipientInfos().getRecipients();
        for (RecipientInformation recipient : recipients) {
            try {
                return recipient instanceof KeyAgreeRecipientInformation
                        ? recipient.getContent(new JceKeyAgreeEnvelopedRecipient(key).setProvider("BC"))
                        : recipient.getContent(new JceKeyTransEnvelopedRecipient(key).setProvider("BC"));
            } catch (Exception other) {
                continue; // another recipient's
            }
        }
        throw new IllegalStateException("no recipient fits");
    }
}
