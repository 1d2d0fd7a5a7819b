import java.io.File;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.Security;
import java.util.Collection;
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
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Reads a CMS object with BouncyCastle, as an opinion that shares no code with OpenSSL.
 *  verify CMS [CONTENT]        prints "good N signers" or fails
 *  decrypt CMS P12             writes the content to standard output; pass phrase "secret" */
public class ReadCms {
    public static void main(String[] words) throws Exception {
        Security.addProvider(new BouncyCastleProvider());
        byte[] cms = Files.readAllBytes(Path.of(words[1]));
        if (words[0].equals("verify")) {
            verify(words.length > 2
                    ? new CMSSignedData(new CMSProcessableByteArray(Files.readAllBytes(Path.of(words[2]))), cms)
                    : new CMSSignedData(cms));
        } else {
            System.out.write(decrypt(cms, key(words[2])));
            System.out.flush();
        }
    }

    private static void verify(CMSSignedData signed) throws Exception {
        int good = 0;
        for (SignerInformation signer : signed.getSignerInfos().getSigners()) {
            X509CertificateHolder holder =
                    (X509CertificateHolder) signed.getCertificates().getMatches(signer.getSID()).iterator().next();
            if (!signer.verify(new JcaSimpleSignerInfoVerifierBuilder().setProvider("BC").build(holder)))
                throw new IllegalStateException("signature does not fit");
            good++;
        }
        System.out.println("good " + good + " signers");
    }

    private static PrivateKey key(String file) throws Exception {
        KeyStore store = KeyStore.getInstance(new File(file), "secret".toCharArray());
        return (PrivateKey) store.getKey(store.aliases().nextElement(), "secret".toCharArray());
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
