// What an office does with the client that is generated for C#.
using System;
using System.Linq;
using Newtonsoft.Json;
using SmsHub.Api;
using SmsHub.Client;
using SmsHub.Model;

public static class Journey
{
    public static void Main(string[] arguments)
    {
        var configuration = new Configuration { BasePath = arguments[0] };
        var answer = new AccessApi(configuration).LogIn(new Credentials(arguments[1], arguments[2]));
        // This client leaves the quotes of a JSON string where they are.
        var token = answer.Trim('"');
        configuration.AccessToken = token;
        var texts = new TextMessagesApi(configuration);

        var newText = new NewTextMessage(
            message: "Your appointment is at 10:30.",
            phoneNumber: "(970) 690-4544, 970.690.4545",
            priority: Priority.Urgent,
            expiresAt: DateTimeOffset.Parse("2030-01-01T10:30:00-07:00"));
        var sent = texts.SendTextMessage(newText, "appointment-1", "wait=30");
        var again = texts.SendTextMessage(newText, "appointment-1", "wait=30");
        var text = texts.GetTextMessage(sent.Id);
        var deliveries = texts.ListDeliveries(sent.Id, limit: 10);
        var listed = texts.ListTextMessages(text.Status);
        var preview = texts.PreviewTextMessage(new NewPreview("Don't forget…", "970-690-4544"));
        var subscriber = new SubscribersApi(configuration).SetSubscriber(new NewSubscriber("970-690-4546", true));
        var refused = ProblemOf(() => texts.SendTextMessage(new NewTextMessage("Hello", "970-690-4544, 12")));
        var stranger = new Configuration { BasePath = arguments[0], AccessToken = "stale" };
        var stale = ProblemOf(() => new TextMessagesApi(stranger).ListTextMessages());

        Console.WriteLine(JsonConvert.SerializeObject(new
        {
            Token = token,
            sent.Id,
            AgainId = again.Id,
            text.Status,
            text.Priority,
            text.DateSent,
            text.ExpiresAt,
            text.SendAt,
            text.Counts,
            Numbers = deliveries.Items.Select(each => each.PhoneNumber),
            Listed = listed.Items.Select(each => each.Id),
            listed.NextCursor,
            preview.Encoding,
            Obstacle = preview.Obstacles[0].Character,
            preview.Audience.Recipients,
            Cost = preview.Audience.EstimatedCost,
            OptedOut = new object[] { subscriber.PhoneNumber, subscriber.DoNotText },
            Refused = new object[] { refused.Status, refused.Type, refused.Detail, refused.Errors[0].Position },
            Stale = new object[] { stale.Status, stale.Type },
        }));
    }

    private static Problem ProblemOf(Action call)
    {
        try
        {
            call();
        }
        catch (ApiException error)
        {
            return JsonConvert.DeserializeObject<Problem>((string)error.ErrorContent);
        }
        throw new InvalidOperationException("The call was to be refused.");
    }
}
