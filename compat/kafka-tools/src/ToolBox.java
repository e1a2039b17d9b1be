import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.BufferedReader;
import java.io.ByteArrayOutputStream;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.apache.kafka.common.utils.Exit;

/**
 * Runs the command-line tools of Apache Kafka, and members for them to look at, in one process: a tool in a process of its
 * own starts for longer than it works. Argument: the broker's address. Each line of input is a command in JSON and is answered
 * by a line of output:
 * <pre>
 * {"tool": "kafka-groups", "args": [...]}                   {"code": 0, "out": "...", "err": "..."}
 * {"join": "classic", "group": G, "topics": [T], "name": N, ...}    {}   once it has what it should, see {@link Members}
 * {"leave": N}                                              {}
 * </pre>
 * A command that fails is answered by {"failure": "..."}.
 */
public final class ToolBox {
    private static final Map<String, String> MAINS = Map.of(
        "kafka-configs", "kafka.admin.ConfigCommand",
        "kafka-groups", "org.apache.kafka.tools.GroupsCommand",
        "kafka-consumer-groups", "org.apache.kafka.tools.consumer.group.ConsumerGroupCommand",
        "kafka-share-groups", "org.apache.kafka.tools.consumer.group.ShareGroupCommand",
        "kafka-streams-groups", "org.apache.kafka.tools.streams.StreamsGroupCommand");

    private static final ObjectMapper JSON = new ObjectMapper();
    private static final PrintStream ANSWERS = System.out;

    public static void main(String[] args) throws Exception {
        Members members = new Members(args[0]);
        BufferedReader commands = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        for (String line = commands.readLine(); line != null; line = commands.readLine()) {
            ObjectNode answer = JSON.createObjectNode();
            try {
                JsonNode command = JSON.readTree(line);
                if (command.has("tool")) runTool(args[0], command, answer);
                else if (command.has("join")) members.join(command);
                else members.leave(command.get("leave").asText());
            } catch (Throwable failure) {
                answer = JSON.createObjectNode().put("failure", failure.toString());
            }
            ANSWERS.println(JSON.writeValueAsString(answer));
        }
        Runtime.getRuntime().halt(0);
    }

    /** What a shell would see of the tool: its exit code and what it printed. */
    private static void runTool(String address, JsonNode command, ObjectNode answer) throws Exception {
        List<String> args = new ArrayList<>(List.of("--bootstrap-server", address));
        command.get("args").forEach(arg -> args.add(arg.asText()));
        Method main = Class.forName(MAINS.get(command.get("tool").asText())).getMethod("main", String[].class);
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        PrintStream formerErr = System.err;
        System.setOut(new PrintStream(out, true, StandardCharsets.UTF_8));
        System.setErr(new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            answer.put("code", exitCode(main, args.toArray(String[]::new)));
        } finally {
            System.setOut(ANSWERS);
            System.setErr(formerErr);
        }
        answer.put("out", out.toString(StandardCharsets.UTF_8)).put("err", err.toString(StandardCharsets.UTF_8));
    }

    /** Runs a main method to its end or to its exit; like the real one, an exit never returns to whoever asked for it. */
    private static int exitCode(Method main, String[] args) throws Exception {
        CompletableFuture<Integer> code = new CompletableFuture<>();
        Exit.setExitProcedure((status, message) -> {
            code.complete(status);
            while (true) java.util.concurrent.locks.LockSupport.park();
        });
        Thread tool = new Thread(() -> {
            try {
                main.invoke(null, (Object) args);
                code.complete(0);
            } catch (InvocationTargetException thrown) {
                thrown.getCause().printStackTrace();
                code.complete(1);
            } catch (IllegalAccessException impossible) {
                code.completeExceptionally(impossible);
            }
        });
        tool.setDaemon(true);
        tool.start();
        return code.get();
    }

    private ToolBox() { }
}
