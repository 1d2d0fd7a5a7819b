import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.Security;
import java.util.Set;
import org.bouncycastle.jce.provider.BouncyCastleProvider;

/** Does what lines on standard input say, words separated by tabs, see ReadCms and WriteCms. Answers each with a line: "ok ..." or
 *  "fail ...". Begins with BouncyCastle's version. */
public class ServeCms {
    public static void main(String[] none) throws Exception {
        BouncyCastleProvider provider = new BouncyCastleProvider();
        Security.addProvider(provider);
        System.out.println(provider.getVersionStr());
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in));
        for (String line; (line = in.readLine()) != null;) {
            String[] words = line.split("\t");
            try {
                System.out.println("ok " + (Set.of("verify", "decrypt").contains(words[0]) ? ReadCms.run(words) : WriteCms.run(words)));
            } catch (Exception | LinkageError error) {
                System.out.println("fail " + error.toString().replace('\n', ' '));
            }
        }
    }
}
