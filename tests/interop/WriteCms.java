import java.io.FileInputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyPair;
import java.security.KeyPairGenerator;
import java.security.KeyStore;
import java.security.PrivateKey;
import java.security.cert.CertificateFactory;
import java.security.cert.X509Certificate;
import java.security.interfaces.ECPublicKey;
import java.security.spec.MGF1ParameterSpec;
import java.util.List;
import javax.crypto.spec.OAEPParameterSpec;
import javax.crypto.spec.PSource;
import org.bouncycastle.asn1.ASN1ObjectIdentifier;
import org.bouncycastle.cert.jcajce.JcaCertStore;
import org.bouncycastle.cms.CMSAlgorithm;
import org.bouncycastle.cms.CMSAuthEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSCompressedDataGenerator;
import org.bouncycastle.cms.CMSEnvelopedDataGenerator;
import org.bouncycastle.cms.CMSProcessableByteArray;
import org.bouncycastle.cms.CMSSignedDataGenerator;
import org.bouncycastle.cms.RecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JcaSignerInfoGeneratorBuilder;
import org.bouncycastle.cms.jcajce.JceCMSContentEncryptorBuilder;
import org.bouncycastle.cms.jcajce.JceKeyAgreeRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.JceKeyTransRecipientInfoGenerator;
import org.bouncycastle.cms.jcajce.ZlibCompressor;
import org.bouncycastle.operator.OutputAEADEncryptor;
import org.bouncycastle.operator.OutputEncryptor;
import org.bouncycastle.operator.jcajce.JcaAlgorithmParametersConverter;
import org.bouncycastle.operator.jcajce.JcaContentSignerBuilder;
import org.bouncycastle.operator.jcajce.JcaDigestCalculatorProviderBuilder;

/** Writes CMS objects with BouncyCastle, which shares no code with OpenSSL.
 *  sign IN OUT opaque|detached P12=ALGORITHM...     such as SHA256withRSAandMGF1; pass phrase "secret"
 *  encrypt IN OUT AES256_CBC KEYTRANS CERTIFICATE...   KEYTRANS for RSA keys: pkcs1 or the digest of OAEP, SHA-256
 *  compress IN OUT */
public class WriteCms {
    static String run(String[] words) throws Exception {
        byte[] content = Files.readAllBytes(Path.of(words[1]));
        List<String> rest = List.of(words).subList(3, words.length);
        byte[] cms = switch (words[0]) {
            case "sign" -> sign(content, rest.get(0).equals("opaque"), rest.subList(1, rest.size()));
            case "encrypt" -> encrypt(content, rest.get(0), rest.get(1), rest.subList(2, rest.size()));
            case "compress" -> new CMSCompressedDataGenerator()
                    .generate(new CMSProcessableByteArray(content), new ZlibCompressor()).getEncoded();
            default -> throw new IllegalArgumentException(words[0]);
        };
        Files.write(Path.of(words[2]), cms);
        return "";
    }

    private static byte[] sign(byte[] content, boolean opaque, List<String> signers) throws Exception {
        CMSSignedDataGenerator generator = new CMSSignedDataGenerator();
        for (String signer : signers) {
            String[] parts = signer.split("=");
            KeyStore store = ReadCms.store(parts[0]);
            String alias = ReadCms.alias(store);
            X509Certificate certificate = (X509Certificate) store.getCertificate(alias);
            PrivateKey key = (PrivateKey) store.getKey(alias, "secret".toCharArray());
            generator.addSignerInfoGenerator(
                    new JcaSignerInfoGeneratorBuilder(new JcaDigestCalculatorProviderBuilder().setProvider("BC").build())
                            .build(new JcaContentSignerBuilder(parts[1]).setProvider("BC").build(key), certificate));
            generator.addCertificates(new JcaCertStore(List.of(certificate)));
        }
        return generator.generate(new CMSProcessableByteArray(content), opaque).getEncoded();
    }

    private static byte[] encrypt(byte[] content, String cipher, String keytrans, List<String> certificates)
            throws Exception {
        ASN1ObjectIdentifier oid = (ASN1ObjectIdentifier) CMSAlgorithm.class.getField(cipher).get(null);
        OutputEncryptor encryptor = new JceCMSContentEncryptorBuilder(oid).setProvider("BC").build();
        CMSEnvelopedDataGenerator enveloped = new CMSEnvelopedDataGenerator();
        CMSAuthEnvelopedDataGenerator authenticated = new CMSAuthEnvelopedDataGenerator();
        for (String file : certificates) {
            RecipientInfoGenerator recipient = recipient(file, keytrans);
            enveloped.addRecipientInfoGenerator(recipient);
            authenticated.addRecipientInfoGenerator(recipient);
        }
        CMSProcessableByteArray data = new CMSProcessableByteArray(content);
        return encryptor instanceof OutputAEADEncryptor aead ? authenticated.generate(data, aead).getEncoded()
                                                             : enveloped.generate(data, encryptor).getEncoded();
    }

    private static RecipientInfoGenerator recipient(String file, String keytrans) throws Exception {
        X509Certificate certificate;

        try (FileInputStream in = new FileInputStream(file)) {
            certificate = (X509Certificate) CertificateFactory.getInstance("X.509", "BC").generateCertificate(in);
        }
        if (certificate.getPublicKey() instanceof ECPublicKey key) {
            KeyPairGenerator ephemeral = KeyPairGenerator.getInstance("EC", "BC");
            ephemeral.initialize(key.getParams());
            KeyPair pair = ephemeral.generateKeyPair();
            return new JceKeyAgreeRecipientInfoGenerator(CMSAlgorithm.ECDH_SHA256KDF, pair.getPrivate(), pair.getPublic(),
                    CMSAlgorithm.AES256_WRAP).addRecipient(certificate).setProvider("BC");
        }
        if (keytrans.equals("pkcs1"))
            return new JceKeyTransRecipientInfoGenerator(certificate).setProvider("BC");
        OAEPParameterSpec oaep = new OAEPParameterSpec(keytrans, "MGF1", new MGF1ParameterSpec(keytrans),
                PSource.PSpecified.DEFAULT);
        return new JceKeyTransRecipientInfoGenerator(certificate, new JcaAlgorithmParametersConverter()
                .getAlgorithmIdentifier(org.bouncycastle.asn1.pkcs.PKCSObjectIdentifiers.id_RSAES_OAEP, oaep))
                .setProvider("BC");
    }
}
