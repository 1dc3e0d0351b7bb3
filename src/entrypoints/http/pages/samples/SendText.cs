// Sends a text: SendText.exe "970-690-4544" "See you at 10:30."
// Your credentials are in the environment. It needs Newtonsoft.Json.
using System;
using System.Net;
using System.Net.Http;
using System.Net.Http.Headers;
using System.Text;
using System.Threading.Tasks;
using Newtonsoft.Json;
using Newtonsoft.Json.Linq;

static class SendText
{
    const string Hub = "https://sms-hub.example";

    // One for all calls, as long as the program runs.
    static readonly HttpClient Http =
        new HttpClient { Timeout = TimeSpan.FromSeconds(30) };

    static int Main(string[] args)
    {
        return Run(args[0], args[1]).GetAwaiter().GetResult();
    }

    static async Task<int> Run(string number, string message)
    {
        try
        {
            await LogIn();
            var text = new { PhoneNumber = number, Message = message };
            // With the same key it is sent once, however often we call.
            var once = Guid.NewGuid().ToString();
            var sent = await Call("/api/TextMessages", text, once);
            Console.WriteLine($"{sent["Id"]} is {sent["Status"]}.");

            // What has become of it? Ask again later, as often as you like.
            var now = await Call($"/api/TextMessages/{sent["Id"]}");
            Console.WriteLine(now["SentResult"]);
            return 0;
        }
        catch (HttpRequestException error)
        {
            Console.Error.WriteLine(error.GetBaseException().Message);
            return 1;
        }
    }

    static async Task LogIn()
    {
        var sid = Environment.GetEnvironmentVariable("SMSHUB_PROGRAM_SID");
        var key = Environment.GetEnvironmentVariable("SMSHUB_PROGRAM_KEY");
        var credentials = new { ProgramSID = sid, ProgramKey = key };
        var token = await Read(await Send("/api/Login", credentials));
        Http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Bearer", (string)token);
    }

    static async Task<JToken> Call(
        string path, object body = null, string once = null)
    {
        HttpResponseMessage answer;
        try
        {
            answer = await Send(path, body, once);
        }
        catch (HttpRequestException)
        {
            answer = await Send(path, body, once); // There was no answer.
        }
        if (answer.StatusCode == HttpStatusCode.Unauthorized)
        {
            await LogIn(); // The token has expired.
            answer = await Send(path, body, once);
        }
        return await Read(answer);
    }

    static Task<HttpResponseMessage> Send(
        string path, object body, string once = null)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, Hub + path);
        if (once != null)
            request.Headers.Add("Idempotency-Key", once);
        if (body != null)
        {
            request.Method = HttpMethod.Post;
            request.Content = new StringContent(
                JsonConvert.SerializeObject(body),
                Encoding.UTF8, "application/json");
        }
        return Http.SendAsync(request);
    }

    static async Task<JToken> Read(HttpResponseMessage answer)
    {
        var content = await answer.Content.ReadAsStringAsync();
        var type = answer.Content.Headers.ContentType?.MediaType;
        if (type == "application/problem+json")
        {
            var problem = JToken.Parse(content);
            throw new HttpRequestException(
                $"{problem["type"]}: {problem["detail"]}");
        }
        answer.EnsureSuccessStatusCode();
        return JToken.Parse(content);
    }
}
