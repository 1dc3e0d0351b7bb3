// What an office does with the client that is generated for Java.
import io.smshub.ApiClient;
import io.smshub.ApiException;
import io.smshub.api.AccessApi;
import io.smshub.api.SubscribersApi;
import io.smshub.api.TextMessagesApi;
import io.smshub.model.Credentials;
import io.smshub.model.NewPreview;
import io.smshub.model.NewSubscriber;
import io.smshub.model.NewTextMessage;
import io.smshub.model.Priority;
import io.smshub.model.Problem;
import java.time.OffsetDateTime;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;

public class Journey {
    private static final ApiClient JSON = new ApiClient();

    public static void main(String[] arguments) throws Exception {
        ApiClient client = new ApiClient();
        client.updateBaseUri(arguments[0]);
        String token = new AccessApi(client)
            .logIn(new Credentials().programSID(arguments[1]).programKey(arguments[2]));
        client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + token));
        TextMessagesApi texts = new TextMessagesApi(client);

        NewTextMessage newText = new NewTextMessage()
            .message("Your appointment is at 10:30.")
            .phoneNumber("(970) 690-4544, 970.690.4545")
            .priority(Priority.URGENT)
            .expiresAt(OffsetDateTime.parse("2030-01-01T10:30:00-07:00"));
        var sent = texts.sendTextMessage(newText, "appointment-1", "wait=30");
        var again = texts.sendTextMessage(newText, "appointment-1", "wait=30");
        var text = texts.getTextMessage(sent.getId());
        var deliveries = texts.listDeliveries(sent.getId(), null, null, 10);
        var listed = texts.listTextMessages(text.getStatus(), null, null, null, null, null);
        var preview = texts.previewTextMessage(
            new NewPreview().message("Don't forget…").phoneNumber("970-690-4544"));
        var subscriber = new SubscribersApi(client)
            .setSubscriber(new NewSubscriber().phoneNumber("970-690-4546").doNotText(true));
        Problem refused = problemOf(() ->
            texts.sendTextMessage(new NewTextMessage().message("Hello").phoneNumber("970-690-4544, 12"), null, null));
        ApiClient stranger = new ApiClient();
        stranger.updateBaseUri(arguments[0]);
        stranger.setRequestInterceptor(request -> request.header("Authorization", "Bearer stale"));
        Problem stale = problemOf(() ->
            new TextMessagesApi(stranger).listTextMessages(null, null, null, null, null, null));

        Map<String, Object> told = new LinkedHashMap<>();
        told.put("Token", token);
        told.put("Id", sent.getId());
        told.put("AgainId", again.getId());
        told.put("Status", text.getStatus());
        told.put("Priority", text.getPriority());
        told.put("DateSent", text.getDateSent());
        told.put("ExpiresAt", text.getExpiresAt());
        told.put("SendAt", text.getSendAt());
        told.put("Counts", text.getCounts());
        told.put("Numbers", deliveries.getItems().stream().map(each -> each.getPhoneNumber()).toArray());
        told.put("Listed", listed.getItems().stream().map(each -> each.getId()).toArray());
        told.put("NextCursor", listed.getNextCursor());
        told.put("Encoding", preview.getEncoding());
        told.put("Obstacle", preview.getObstacles().get(0).getCharacter());
        told.put("Recipients", preview.getAudience().getRecipients());
        told.put("Cost", preview.getAudience().getEstimatedCost());
        told.put("OptedOut", Arrays.asList(subscriber.getPhoneNumber(), subscriber.getDoNotText()));
        told.put("Refused", Arrays.asList(
            refused.getStatus(), refused.getType(), refused.getDetail(), refused.getErrors().get(0).getPosition()));
        told.put("Stale", Arrays.asList(stale.getStatus(), stale.getType()));
        System.out.println(JSON.getObjectMapper().writeValueAsString(told));
    }

    private interface Call {
        void make() throws ApiException;
    }

    private static Problem problemOf(Call call) throws Exception {
        try {
            call.make();
        } catch (ApiException error) {
            return JSON.getObjectMapper().readValue(error.getResponseBody(), Problem.class);
        }
        throw new IllegalStateException("The call was to be refused.");
    }
}
