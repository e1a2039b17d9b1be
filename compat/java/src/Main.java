import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;

/** Arguments: the broker's address, then the wanted scenarios (none: all). One JSON line per scenario. */
public final class Main {
    interface Scenario {
        void run(Kit kit) throws Exception;
    }

    public static void main(String[] args) {
        Map<String, Scenario> all = new LinkedHashMap<>();
        RecordScenarios.addTo(all);
        OffsetScenarios.addTo(all);
        GroupScenarios.addTo(all);
        ConsumerProtocolScenarios.addTo(all);
        TopicScenarios.addTo(all);
        ConfigScenarios.addTo(all);
        GroupAdminScenarios.addTo(all);
        TransactionScenarios.addTo(all);
        TransactionAdminScenarios.addTo(all);
        ShareScenarios.addTo(all);
        StreamsGroupScenarios.addTo(all);
        VlsnScenarios.addTo(all);
        Set<String> wanted = Set.copyOf(List.of(args).subList(1, args.length));
        List<String> names = new ArrayList<>(all.keySet());
        names.removeIf(name -> !wanted.isEmpty() && !wanted.contains(name));
        System.out.println("{\"scenarios\":["
            + names.stream().map(Main::quote).collect(Collectors.joining(",")) + "]}");
        for (String name : names) {
            long startedAt = System.nanoTime();
            String error = null;
            try (Kit kit = new Kit(args[0])) {
                all.get(name).run(kit);
            } catch (Throwable failure) {
                Throwable cause = Check.unwrap(failure);
                StackTraceElement[] trace = cause.getStackTrace();
                error = cause + (trace.length > 1 ? " at " + here(trace) : "");
            }
            long ms = (System.nanoTime() - startedAt) / 1_000_000;
            System.out.println("{\"scenario\":" + quote(name) + ",\"ok\":" + (error == null)
                + (error == null ? "" : ",\"error\":" + quote(error)) + ",\"ms\":" + ms + "}");
        }
        System.exit(0);
    }

    /** The line of a scenario that failed. */
    private static String here(StackTraceElement[] trace) {
        for (StackTraceElement element : trace) {
            if (element.getClassName().endsWith("Scenarios")) return element.toString();
        }
        return trace[0].toString();
    }

    private static String quote(String text) {
        StringBuilder quoted = new StringBuilder("\"");
        for (char c : text.toCharArray()) {
            if (c == '"' || c == '\\') quoted.append('\\').append(c);
            else if (c < ' ') quoted.append(String.format("\\u%04x", (int) c));
            else quoted.append(c);
        }
        return quoted.append('"').toString();
    }
}
