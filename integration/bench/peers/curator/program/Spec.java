import com.fasterxml.jackson.annotation.JsonIgnoreProperties;

/** What to measure; see package work. */
@JsonIgnoreProperties(ignoreUnknown = true)
public final class Spec {
    public String work = "";
    public String path = "";
    public int clients, sessions, inflight, size, ops, millis, timeout;
    public boolean marks;

    int clientCount() {
        return Math.max(1, clients);
    }

    int sessionCount() {
        return sessions > 0 ? Math.min(clientCount(), sessions) : clientCount();
    }

    byte[] data() {
        return new byte[size];
    }
}
