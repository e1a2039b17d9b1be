import java.util.Collection;
import java.util.stream.Collectors;

/**
 * What happened in a group, one JSON line per event, for group-churn/. Times are milliseconds of the machine's monotonic
 * clock, which every process here shares.
 */
final class GroupEvents {
    static double now() {
        return System.nanoTime() / 1e6;
    }

    /** Prints an event; `fields` are names and values in turn, values as JSON. */
    static void tell(double at, String event, Object... fields) {
        StringBuilder line = new StringBuilder("{\"at\":").append(at).append(",\"event\":\"").append(event).append('"');
        for (int index = 0; index < fields.length; index += 2) {
            line.append(",\"").append(fields[index]).append("\":").append(fields[index + 1]);
        }
        String text = line.append('}').toString();
        synchronized (GroupEvents.class) {
            System.out.println(text);
        }
    }

    static String quote(Object text) {
        return '"' + String.valueOf(text).replaceAll("[\"\\\\\\p{Cntrl}]", " ") + '"';
    }

    static String list(Collection<?> values) {
        return values.stream().map(String::valueOf).collect(Collectors.joining(",", "[", "]"));
    }

    private GroupEvents() { }
}
