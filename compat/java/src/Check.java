import java.util.Objects;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import org.apache.kafka.common.errors.RetriableException;

/** Assertions. */
final class Check {
    interface Condition {
        boolean holds() throws Exception;
    }

    static void that(boolean condition, String otherwise) {
        if (!condition) throw new AssertionError(otherwise);
    }

    static void equal(Object expected, Object actual, String what) {
        if (!Objects.equals(expected, actual)) {
            throw new AssertionError(what + ": expected " + expected + ", got " + actual);
        }
    }

    static <E extends Throwable> E fails(Class<E> expected, Callable<?> action) {
        Object answer;
        try {
            answer = action.call();
        } catch (Throwable failure) {
            Throwable cause = unwrap(failure);
            if (expected.isInstance(cause)) return expected.cast(cause);
            throw new AssertionError("expected " + expected.getSimpleName() + ", got " + cause, cause);
        }
        throw new AssertionError("expected " + expected.getSimpleName() + ", got the answer " + answer);
    }

    /** Polls a condition until it holds; an answer that clients may retry means not yet. */
    static void eventually(String what, Condition condition) throws Exception {
        long deadline = System.nanoTime() + 20_000_000_000L;
        while (!holds(condition)) {
            if (System.nanoTime() > deadline) throw new AssertionError("not within 20 s: " + what);
            Thread.sleep(20);
        }
    }

    private static boolean holds(Condition condition) throws Exception {
        try {
            return condition.holds();
        } catch (ExecutionException failure) {
            if (failure.getCause() instanceof RetriableException) return false;
            throw failure;
        }
    }

    static Throwable unwrap(Throwable failure) {
        Throwable cause = failure;
        while ((cause instanceof ExecutionException || cause instanceof CompletionException) && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    private Check() { }
}
